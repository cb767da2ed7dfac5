"""The first page of a report: the answer, the verdicts, who solves what, and how sure that is."""
