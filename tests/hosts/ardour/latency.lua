-- ardour7-lua latency.lua DIR NAME : opens a session and prints the latency of the first plugin of its track.
local dir, name = arg[1], arg[2]
assert(load_session(dir, name), "the session could not be opened")
local processor = Session:route_by_name("Music"):nth_plugin(0)
print("latency", processor:signal_latency())
close_session()
quit()
