"""Several peers watch one instance, and each of them sees all of it."""

from sidecar.audience import Audience


def test_everybody_who_watches_is_shown_the_same_until_they_leave() -> None:
    audience, seen = Audience(), []
    audience.change("song", b"editor", lambda frames: seen.append(("editor", *frames)))
    show = audience.change("song", b"cli", lambda frames: seen.append(("cli", *frames)))
    assert show is not None
    show([b"scene"])
    assert seen == [("editor", b"scene"), ("cli", b"scene")]
    assert audience.change("other", b"cli", None) is None
    assert audience.leave(b"cli") == ["song"]
    show = audience.sender("song")
    assert show is not None
    show([b"again"])
    assert seen[2:] == [("editor", b"again")]
    assert audience.change("song", b"editor", None) is None
    assert audience.leave(b"editor") == []
    audience.change("song", b"editor", show)
    audience.close("song")
    assert audience.sender("song") is None
