"""Whether the scripted sessions hang together, which no schema can say."""

from typing import Any

from workflow.errors import ConfigError, check_known, nearest, shown

# Whose turn a position belongs to.
SPEAKER = {"user_end": "user", "assistant_start": "assistant", "assistant": "assistant"}


def check_sessions(
    sessions: list[dict[str, Any]],
    emotions: dict[str, Any],
    paths: dict[str, str],
) -> None:
    """Refuse sessions whose positions or predictions point at nothing.

    Args:
        sessions: valid by their schema, with distinct ids.
        emotions: the known emotions.
        paths: where `wild` and `emotions` come from.

    Raises:
        ConfigError: a session does not end with the assistant, a position is not in its
            session, or a prediction names an emotion, session or position that is not
            there or not read.
    """
    read = {session["id"]: session["read"] for session in sessions}
    for number, session in enumerate(sessions, start=1):
        place = f"{paths['wild']}: entry {number} ({session['id']})"
        roles = [turn["role"] for turn in session["turns"]]
        if roles[-1] != "assistant":
            problem = f"the last is {shown(roles[-1])}; it must be 'assistant'"
            raise ConfigError(f"{place}: turns: {problem}")
        for spot in session["read"]:
            spoken = roles[spot["turn"]] if spot["turn"] < len(roles) else None
            wanted = SPEAKER[spot["position"]]
            if spoken != wanted:
                problem = f"turn {spot['turn']} is not a turn of the {wanted}"
                raise ConfigError(f"{place}: read: {problem}")
        for prediction in session["predictions"]:
            emotion, than = prediction["emotion"], dict(prediction["than"])
            other = than.pop("session")
            check_known(emotion, emotions, place, paths["emotions"])
            if other not in read:
                near = nearest(other, read)
                raise ConfigError(f"{place}: {other!r} is not a session{near}")
            at = prediction["at"]
            for name, spot in ((session["id"], at), (other, than)):
                if spot not in read[name]:
                    raise ConfigError(
                        f"{place}: predictions: {spot['position']} of turn "
                        f"{spot['turn']} is not read in {name}; it must stand in its "
                        "list read"
                    )
            if (session["id"], at) == (other, than):
                raise ConfigError(
                    f"{place}: predictions: {at['position']} of turn {at['turn']} is "
                    "compared with itself"
                )
