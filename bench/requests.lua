-- What wrk sends, one function for each KIND in the environment; numbers come from FIRST and COUNT.

local first = tonumber(os.getenv("FIRST") or "1")
local count = tonumber(os.getenv("COUNT") or "1")
local value = string.rep("0123456789abcdef", 4)
local query = "?api-version=7.4"
local number = first - 1

local kinds = {}

-- A new secret each time.
function kinds.set()
	number = number + 1
	return wrk.format("PUT", "/secrets/name-" .. number .. query, nil,
		'{"value":"' .. value .. '"}')
end

-- Any of COUNT secrets.
function kinds.any()
	return wrk.format("GET", "/secrets/name-" .. math.random(first, first + count - 1) .. query)
end

local form = os.getenv("FORM")

function kinds.token()
	return wrk.format("POST", nil, nil, form)
end

if os.getenv("KIND") == "set" then
	wrk.headers["Content-Type"] = "application/json"
elseif os.getenv("KIND") == "token" then
	wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end
request = kinds[os.getenv("KIND")]
