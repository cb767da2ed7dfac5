"""The errors that are the user's to mend, apart from bugs."""


class UserError(ValueError):
    """Something that the user gave cannot be used. The message is one line that names it and says what is allowed.

    The command line prints the message and ends with exit code 2. Any other exception is a bug: it keeps its traceback.
    """
