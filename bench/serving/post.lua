-- wrk: the prepared bodies in turns; one line of JSON at the end.
local requests, turn = {}, 0

local function headers()
  local found = {}
  for line in string.gmatch(os.getenv("BENCH_HEADERS"), "[^\n]+") do
    local name, value = string.match(line, "^([^:]+): (.*)$")
    found[name] = value
  end
  return found
end

init = function()
  for number = 0, tonumber(os.getenv("BENCH_BODIES_COUNT")) - 1 do
    local file = assert(io.open(os.getenv("BENCH_BODIES") .. "/" .. number, "rb"))
    requests[number + 1] = wrk.format("POST", os.getenv("BENCH_PATH"), headers(), file:read("*a"))
    file:close()
  end
end

request = function()
  turn = turn % #requests + 1
  return requests[turn]
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\nRESULT {"answered": %d, "microseconds": %d, "p50": %.1f, "p99": %.1f, "failed": %d}\n',
    summary.requests - e.status, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
