"""What costs seconds is imported where it is needed, so that commands and a second sidecar answer at once."""

import subprocess
import sys

import pytest

import sidecar.protocol

HEAVY = {"torch", "diffusers", "transformers", "zmq", "soxr", "soundfile"}


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(found.stdout.split())


@pytest.mark.parametrize("statement", ["import sidecar", "import sidecar.supervisor", "import sidecar.runfile"])
def test_the_light_modules_stay_light(statement: str) -> None:
    assert not modules_after(statement) & HEAVY


@pytest.mark.parametrize("module", ["client", "bounce", "service", "instance", "document", "automation"])
def test_no_module_loads_torch_before_a_session_is_opened(module: str) -> None:
    assert "torch" not in modules_after(f"import sidecar.{module}")


def test_messages_of_both_sides_have_names_of_their_own() -> None:
    kinds = [*sidecar.protocol.FromPeer.__args__, *sidecar.protocol.FromSidecar.__args__]
    tags = [kind.__struct_config__.tag for kind in kinds]
    assert len(tags) == len(set(tags))
