import subprocess
import sys

import engine

PUBLIC = {
    "FRAME_RATE", "FRAME_SAMPLES", "LATENT_CHANNELS", "SAMPLE_RATE", "__version__",
    "AudioInfo", "audio_info",
    "Change", "Encoding", "SelfCheck", "WarmedPart",
    "CheckpointError", "EngineError", "LoraError", "RequestError",
    "CheckpointInfo", "Condition", "Conditioning", "Curve", "Dcw", "Finished", "Request", "Session", "Source", "Stream",
    "StreamHandle", "StreamStats", "average_conditionings", "blend_conditionings", "blend_latents", "channel_gain",
    "combine_conditionings", "preload",
    "FinishedRegion", "FrozenSong", "FrozenWindow", "SongStream", "generate_song",
    "LoraInfo", "LoraLibrary", "LoraMetadata",
}  # fmt: skip


def test_public_names_are_the_agreed_ones_and_resolve():
    assert set(engine.__all__) == PUBLIC
    assert all(getattr(engine, name) is not None for name in engine.__all__)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(engine, "Pipeline")


def test_importing_the_engine_and_its_values_loads_no_tensor_library():
    code = (
        "import sys, engine\n"
        "engine.Request, engine.Conditioning, engine.Source, engine.Curve, engine.CheckpointInfo, engine.RequestError\n"
        "engine.Condition, engine.Dcw, engine.blend_latents, engine.channel_gain\n"
        "import engine.model.checkpoint, engine.model.hub\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.strip() == "[]"
