/* The page itself: what is folded opens for print and for a link that leads into it; what scrolls can be scrolled by keys. */
"use strict";
const data = JSON.parse(document.getElementById("_data").textContent);

const folded = [];
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open]):not(.tools)")) { each.open = true; folded.push(each); }
});
addEventListener("afterprint", () => { for (const each of folded.splice(0)) each.open = false; });

function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const around = target && target.closest("details");
  if (around && !around.open) { around.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", reveal);
reveal();

const watch = new ResizeObserver(entries => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth + 1;
    if (scrolls && !target.querySelector("button, a")) target.tabIndex = 0; else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".plot, .scroll, math")) watch.observe(box);
