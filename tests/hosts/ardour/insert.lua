-- ardour7-lua insert.lua DIR NAME RATE PLUGIN PRESET LANE
-- A new session with one stereo audio track and the plugin as its first insert. PRESET: a label from the host's preset
-- list, or "". LANE: "" or "Parameter Name=sample:value,sample:value,...", written as a lane in play mode. Saves, ends.
local dir, name, rate, plugin, preset, lane = arg[1], arg[2], tonumber(arg[3]), arg[4], arg[5], arg[6]

assert(create_session(dir, name, rate), "the session could not be made")
local track = Session:new_audio_track(2, 2, nil, 1, "Music", -1, ARDOUR.TrackMode.Normal, true):front()
local processor = ARDOUR.LuaAPI.new_plugin(Session, plugin, ARDOUR.PluginType.VST3, preset)
assert(not processor:isnil(), "no such plugin in the scan cache: " .. plugin)
assert(track:add_processor_by_index(processor, 0, nil, true) == 0, "the track refused the plugin")

local insert = processor:to_insert()
local effect = insert:plugin(0)
local index = {}
for i = 0, effect:parameter_count() - 1 do
  index[effect:parameter_label(i)] = i
  print("parameter", i, effect:parameter_label(i), (ARDOUR.LuaAPI.get_processor_param(processor, i)))
end

local label, points = lane:match("^(.-)=(.*)$")
if label then
  local which = index[label]
  assert(which, "no parameter " .. label)
  local list, control_list, description = ARDOUR.LuaAPI.plugin_automation(processor, which)
  assert(not list:isnil(), "no automation list for " .. label)
  for at, value in points:gmatch("(%d+):([%d.eE+-]+)") do
    control_list:add(Temporal.timepos_t(tonumber(at)), tonumber(value), false, true)
  end
  local id = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, which)
  insert:to_automatable():automation_control(id, false):set_automation_state(ARDOUR.AutoState.Play)
  print("points", control_list:size())
end
assert(Session:save_state("") == 0, "the session could not be saved")
close_session()
quit()
