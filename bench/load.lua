-- Requests for wrk: numbers and extensions vary from request to request, in the same order for the same seed.
-- Arguments: wire (get, soap, xmlrpc), seconds, seed, "starts" or "mix" (starts and ends half and half).
-- When the seconds are over no more is sent, and wrk, whose duration must be longer, gathers the answers still
-- under way and ends: only then can answers be compared with rows. What is not 200, or is a fault, failed.
-- At the end it prints: RESULT sent answered failed seconds p50 p99 (of latency, in microseconds).

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

-- They stand where extension and number belong, and are as long as those.
local EXTENSION, NUMBER = "@@@@", "###########"
local CALLS_UNDER_WAY = 64

local function soap(operation, parameters)
  local elements = ""
  for _, pair in ipairs(parameters) do
    elements = elements .. string.format("<ns1:%s>%s</ns1:%s>", pair[1], pair[2], pair[1])
  end
  local body = '<?xml version="1.0" encoding="UTF-8"?>\n'
    .. '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    .. ' xmlns:ns1="urn:cti-gateway:wconnect:1"><SOAP-ENV:Body>'
    .. string.format("<ns1:%s>%s</ns1:%s>", operation, elements, operation)
    .. "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
  local action = string.format('"urn:cti-gateway:wconnect:1#%s"', operation)
  local headers = { ["Content-Type"] = "text/xml; charset=utf-8", ["SOAPAction"] = action }
  return wrk.format("POST", "/soap", headers, body)
end

local function xmlrpc(operation, parameters)
  local values = ""
  for _, pair in ipairs(parameters) do
    values = values .. string.format("<param><value><string>%s</string></value></param>", pair[2])
  end
  local body = '<?xml version="1.0"?>\n<methodCall><methodName>' .. operation .. "</methodName>"
    .. "<params>" .. values .. "</params></methodCall>"
  return wrk.format("POST", "/xmlrpc", { ["Content-Type"] = "text/xml" }, body)
end

local function get(operation, parameters)
  local query = {}
  for _, pair in ipairs(parameters) do
    table.insert(query, pair[1] .. "=" .. pair[2])
  end
  return wrk.format("GET", "/wconnect/WConnect_WSDL_" .. operation .. ".php?" .. table.concat(query, "&"))
end

local WIRES = { get = get, soap = soap, xmlrpc = xmlrpc }

-- A request cut where extension and number belong, so that each one costs a join and no formatting.
local function template(request)
  local made, from = { parts = {}, extensions = {}, numbers = {} }, 1
  for at, placeholder, after in request:gmatch("()([@#]+)()") do
    table.insert(made.parts, request:sub(from, at - 1))
    table.insert(made.parts, placeholder)
    table.insert(placeholder == EXTENSION and made.extensions or made.numbers, #made.parts)
    from = after
  end
  table.insert(made.parts, request:sub(from))
  return made
end

local function fill(made, extension, number)
  for _, place in ipairs(made.extensions) do made.parts[place] = extension end
  for _, place in ipairs(made.numbers) do made.parts[place] = number end
  return table.concat(made.parts)
end

-- The n-th call: an extension from 3500 to 3599 and a mobile number of area 47.
local function call(seed, n)
  local scattered = (n * 48271 + seed * 7919) % 2147483647
  return tostring(3500 + scattered % 100), string.format("4799%07d", math.floor(scattered / 100) % 10000000)
end

local starts, ends, seed, seconds, mixed, first
local draining = false
-- wrk makes one request before it begins, to look at it, and does not send it.
sent, answered, failed, took, example = -1, 0, 0, 0, ""

function init(arguments)
  local make = WIRES[arguments[1]]
  seconds, seed, mixed = tonumber(arguments[2]), tonumber(arguments[3]), arguments[4] == "mix"
  local recording = { "url_audio", "http://pbx.example.com/audio/" .. NUMBER .. ".wav" }
  starts = template(make("ConsultaRamal", { { "ramal", EXTENSION }, { "telefone", NUMBER } }))
  ends = template(make("FinalizaLigacao", { { "ramal", EXTENSION }, { "telefone", NUMBER }, recording }))
end

function request()
  sent = sent + 1
  if sent == 1 then first = clock() end
  if not mixed then return fill(starts, call(seed, sent)) end
  local pair = math.ceil(sent / 2)
  if sent % 2 == 0 and pair > CALLS_UNDER_WAY then return fill(ends, call(seed, pair - CALLS_UNDER_WAY)) end
  return fill(starts, call(seed, sent % 2 == 0 and -pair or pair))
end

-- wrk asks before each request how many milliseconds it shall wait; SIGINT ends it in good order.
function delay()
  draining = draining or (first ~= nil and clock() - first >= seconds)
  if not draining then return 0 end
  if answered == sent then ffi.C.kill(ffi.C.getpid(), 2) end
  return 3600000
end

function response(status, headers, body)
  answered = answered + 1
  took = clock() - first
  if status ~= 200 or body:find("ault>", 1, true) or body:find("ERRO", 1, true) then
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
