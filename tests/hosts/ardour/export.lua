-- ardour7-lua export.lua DIR NAME FOLDER FILE PRESET : opens a session, bounces its range to FOLDER/FILE.wav.
-- PRESET: the id of an export preset. Ardour's export dialog runs the same code; ardour7-export does not, and begins
-- while Ardour still computes the latencies of the session that it has just opened (docs/log.md, 2026-11-23).
local dir, name, folder, file, preset = arg[1], arg[2], arg[3], arg[4], arg[5]

assert(load_session(dir, name), "the session could not be opened")
-- Latencies reach the session between two cycles, after the few (five at 48 kHz) with which the engine begins.
assert(ARDOUR.LuaAPI.wait_for_process_callback(16, 30000), "the audio engine does not run")
local export = Session:simple_export()
assert(export:set_preset(preset), "no such export preset: " .. preset)
export:set_folder(folder)
export:set_name(file)
assert(export:run_export(), "the export failed")
close_session()
quit()
