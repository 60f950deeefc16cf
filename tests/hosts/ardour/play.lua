-- ardour7-lua play.lua DIR NAME SECONDS : opens a session, rolls the transport in real time, stops, saves.
local dir, name, seconds = arg[1], arg[2], tonumber(arg[3])
assert(load_session(dir, name), "the session could not be opened")
Session:request_locate(0, false, ARDOUR.LocateTransportDisposition.MustStop, ARDOUR.TransportRequestSource.TRS_UI)
sleep(1)
Session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
for _ = 1, math.ceil(seconds * 10) do ARDOUR.LuaAPI.usleep(100000) end
print("played to", Session:transport_sample())
Session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
sleep(tonumber(arg[4] or "2"))
assert(Session:save_state("") == 0, "the session could not be saved")
close_session()
quit()
