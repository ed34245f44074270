-- Requests for wrk: starts of calls of many companies, each company in turn.
-- Arguments: seconds, seed, companies. Prints RESULT and EXAMPLE as load.lua does, and ends as it does.

local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds; long microseconds; } bench_time;
int gettimeofday(bench_time *now, void *zone);
int getpid(void);
int kill(int process, int signal);
]]
local moment = ffi.new("bench_time")

local function clock()
  ffi.C.gettimeofday(moment, nil)
  return tonumber(moment.seconds) + tonumber(moment.microseconds) / 1e6
end

local PATH = "GET /t/t%02d/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=%d&telefone=4799%07d HTTP/1.1\r\nHost: bench\r\n\r\n"
local seconds, seed, companies, first
local draining = false
-- wrk makes one request before it begins, to look at it, and does not send it.
sent, answered, failed, took, example = -1, 0, 0, 0, ""

function init(arguments)
  seconds, seed, companies = tonumber(arguments[1]), tonumber(arguments[2]), tonumber(arguments[3])
end

function request()
  sent = sent + 1
  if sent == 1 then first = clock() end
  local scattered = (sent * 48271 + seed * 7919) % 2147483647
  return PATH:format(1 + sent % companies, 3500 + scattered % 100, math.floor(scattered / 100) % 10000000)
end

function delay()
  draining = draining or (first ~= nil and clock() - first >= seconds)
  if not draining then return 0 end
  if answered == sent then ffi.C.kill(ffi.C.getpid(), 2) end
  return 3600000
end

function response(status, headers, body)
  answered = answered + 1
  took = clock() - first
  if status ~= 200 or body:find("ERRO", 1, true) then
    failed = failed + 1
    if failed == 1 then example = status .. " " .. body:sub(1, 300) end
  end
end

local generator
function setup(thread) generator = thread end

function done(summary, latency)
  local counted = {}
  for _, name in ipairs({ "sent", "answered", "failed", "took" }) do
    table.insert(counted, tostring(generator:get(name)))
  end
  print("RESULT " .. table.concat(counted, " ") .. " " .. latency:percentile(50) .. " " .. latency:percentile(99))
  print("EXAMPLE " .. generator:get("example"):gsub("%s+", " "))
end
