"""CLAP 1.2's C structs and functions, as far as `clap_host` uses them. Names and order are the headers'."""

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

VERSION = (1, 2, 0)
# Fixed-point beats and seconds carry 31 fractional bits.
FIXED_POINT = 1 << 31

EVENT_PARAM_VALUE = 5
EVENT_TRANSPORT = 9

TRANSPORT_HAS_TEMPO = 1
TRANSPORT_HAS_BEATS = 2
TRANSPORT_HAS_SECONDS = 4
TRANSPORT_HAS_TIME_SIGNATURE = 8
TRANSPORT_IS_PLAYING = 16
TRANSPORT_IS_LOOP_ACTIVE = 64

RENDER_REALTIME = 0
RENDER_OFFLINE = 1
PROCESS_ERROR = 0


class Version(Structure):
    _fields_ = (("major", c_uint32), ("minor", c_uint32), ("revision", c_uint32))


class Entry(Structure):
    _fields_ = (
        ("version", Version),
        ("init", CFUNCTYPE(c_bool, c_char_p)),
        ("deinit", CFUNCTYPE(None)),
        ("get_factory", CFUNCTYPE(c_void_p, c_char_p)),
    )


class Descriptor(Structure):
    _fields_ = (
        ("version", Version),
        ("id", c_char_p),
        ("name", c_char_p),
        ("vendor", c_char_p),
        ("url", c_char_p),
        ("manual_url", c_char_p),
        ("support_url", c_char_p),
        ("plugin_version", c_char_p),
        ("description", c_char_p),
        ("features", POINTER(c_char_p)),
    )


class Factory(Structure):
    _fields_ = (
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("descriptor", CFUNCTYPE(POINTER(Descriptor), c_void_p, c_uint32)),
        ("create", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_char_p)),
    )


class Host(Structure):
    _fields_ = (
        ("version", Version),
        ("data", c_void_p),
        ("name", c_char_p),
        ("vendor", c_char_p),
        ("url", c_char_p),
        ("host_version", c_char_p),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        ("request_restart", CFUNCTYPE(None, c_void_p)),
        ("request_process", CFUNCTYPE(None, c_void_p)),
        ("request_callback", CFUNCTYPE(None, c_void_p)),
    )


class Plugin(Structure):
    _fields_ = (
        ("descriptor", POINTER(Descriptor)),
        ("data", c_void_p),
        ("init", CFUNCTYPE(c_bool, c_void_p)),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("activate", CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("start_processing", CFUNCTYPE(c_bool, c_void_p)),
        ("stop_processing", CFUNCTYPE(None, c_void_p)),
        ("reset", CFUNCTYPE(None, c_void_p)),
        ("process", CFUNCTYPE(c_int32, c_void_p, c_void_p)),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        ("on_main_thread", CFUNCTYPE(None, c_void_p)),
    )


class AudioBuffer(Structure):
    _fields_ = (
        ("data32", POINTER(POINTER(c_float))),
        ("data64", c_void_p),
        ("channel_count", c_uint32),
        ("latency", c_uint32),
        ("constant_mask", c_uint64),
    )


class EventHeader(Structure):
    _fields_ = (
        ("size", c_uint32),
        ("time", c_uint32),
        ("space_id", c_uint16),
        ("type", c_uint16),
        ("flags", c_uint32),
    )


class ParamValue(Structure):
    _fields_ = (
        ("header", EventHeader),
        ("param_id", c_uint32),
        ("cookie", c_void_p),
        ("note_id", c_int32),
        ("port_index", c_int16),
        ("channel", c_int16),
        ("key", c_int16),
        ("value", c_double),
    )


class TransportEvent(Structure):
    _fields_ = (
        ("header", EventHeader),
        ("flags", c_uint32),
        ("song_beats", c_int64),
        ("song_seconds", c_int64),
        ("tempo", c_double),
        ("tempo_increment", c_double),
        ("loop_start_beats", c_int64),
        ("loop_end_beats", c_int64),
        ("loop_start_seconds", c_int64),
        ("loop_end_seconds", c_int64),
        ("bar_start", c_int64),
        ("bar_number", c_int32),
        ("signature_numerator", c_uint16),
        ("signature_denominator", c_uint16),
    )


class InputEvents(Structure):
    _fields_ = (
        ("context", c_void_p),
        ("size", CFUNCTYPE(c_uint32, c_void_p)),
        ("get", CFUNCTYPE(c_void_p, c_void_p, c_uint32)),
    )


class OutputEvents(Structure):
    _fields_ = (("context", c_void_p), ("try_push", CFUNCTYPE(c_bool, c_void_p, c_void_p)))


class Process(Structure):
    _fields_ = (
        ("steady_time", c_int64),
        ("frames", c_uint32),
        ("transport", POINTER(TransportEvent)),
        ("inputs", POINTER(AudioBuffer)),
        ("outputs", POINTER(AudioBuffer)),
        ("input_count", c_uint32),
        ("output_count", c_uint32),
        ("input_events", POINTER(InputEvents)),
        ("output_events", POINTER(OutputEvents)),
    )


class ParamInfo(Structure):
    _fields_ = (
        ("id", c_uint32),
        ("flags", c_uint32),
        ("cookie", c_void_p),
        ("name", c_char * 256),
        ("module", c_char * 1024),
        ("minimum", c_double),
        ("maximum", c_double),
        ("default", c_double),
    )


class Params(Structure):
    _fields_ = (
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("get_info", CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(ParamInfo))),
        ("get_value", CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_double))),
        ("value_to_text", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_double, c_void_p, c_uint32)),
        ("text_to_value", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, POINTER(c_double))),
        ("flush", CFUNCTYPE(None, c_void_p, POINTER(InputEvents), POINTER(OutputEvents))),
    )


STREAM_CALL = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_uint64)


class Stream(Structure):
    """`clap_istream_t` and `clap_ostream_t`, which have one layout."""

    _fields_ = (("context", c_void_p), ("call", STREAM_CALL))


class State(Structure):
    _fields_ = (
        ("save", CFUNCTYPE(c_bool, c_void_p, POINTER(Stream))),
        ("load", CFUNCTYPE(c_bool, c_void_p, POINTER(Stream))),
    )


class Render(Structure):
    _fields_ = (
        ("has_hard_realtime_requirement", CFUNCTYPE(c_bool, c_void_p)),
        ("set", CFUNCTYPE(c_bool, c_void_p, c_int32)),
    )


class Count(Structure):
    """`clap_plugin_latency_t` and `clap_plugin_tail_t`: one function that returns samples."""

    _fields_ = (("get", CFUNCTYPE(c_uint32, c_void_p)),)


def host(requests: list[str]) -> Host:
    """A host whose callbacks append their names to `requests`. It answers every thread check with yes.

    A plugin may call from its own threads; a list takes that.
    """

    def said(name: str, *arguments: type[Any]) -> Any:
        return CFUNCTYPE(None, c_void_p, *arguments)(lambda *_: requests.append(name))

    def is_thread(_: object) -> bool:
        return True

    yes = CFUNCTYPE(c_bool, c_void_p)(is_thread)
    extensions = {
        b"clap.latency": [said("latency.changed")],
        b"clap.params": [
            said("params.rescan", c_uint32),
            said("params.clear", c_uint32, c_uint32),
            said("params.request_flush"),
        ],
        b"clap.state": [said("state.mark_dirty")],
        b"clap.tail": [said("tail.changed")],
        b"clap.thread-check": [yes, yes],
    }
    tables = {name: _table(functions) for name, functions in extensions.items()}

    def extension(_: object, name: bytes) -> int | None:
        return ctypes.addressof(tables[name]) if name in tables else None

    made = Host(
        version=Version(*VERSION),
        name=b"demon-clap-host",
        vendor=b"DEMON Bridge",
        url=b"",
        host_version=b"1",
        get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p)(extension),
        request_restart=said("host.request_restart"),
        request_process=said("host.request_process"),
        request_callback=said("host.request_callback"),
    )
    made.kept = extensions  # the tables hold bare addresses of these
    return made


def _table(functions: list[Any]) -> Any:
    """A host extension: nothing but function pointers, one after the other."""
    return (c_void_p * len(functions))(*[ctypes.cast(function, c_void_p).value for function in functions])
