"""The one error that reaches the user as one line."""


class StudyError(Exception):
    """Something the user can mend: the message says what is wrong, where, and what
    would be right.
    """
