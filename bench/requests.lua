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

-- The same, with names that stand everywhere among the others.
function kinds.scatter()
	number = number + 1
	return wrk.format("PUT", "/secrets/name-" .. string.format("%08x", number * 2654435761 % 4294967296) .. query,
		nil, '{"value":"' .. value .. '"}')
end

-- Any of COUNT secrets.
function kinds.any()
	return wrk.format("GET", "/secrets/name-" .. math.random(first, first + count - 1) .. query)
end

local form = os.getenv("FORM")

function kinds.token()
	return wrk.format("POST", nil, nil, form)
end

-- OPERATION by KEY on INPUT: always the same request, put together once.
local use
function kinds.use()
	use = use or wrk.format("POST", "/keys/" .. os.getenv("KEY") .. "/" .. os.getenv("OPERATION") .. query, nil,
		'{"alg":"' .. os.getenv("ALGORITHM") .. '","value":"' .. os.getenv("INPUT") .. '"}')
	return use
end

-- A new secret each time, as OpenBao's kv store of version 2 takes it.
function kinds.kv()
	number = number + 1
	return wrk.format("POST", "/v1/kv2/data/name-" .. number, nil, '{"data":{"value":"' .. value .. '"}}')
end

-- Always the same BODY, put together once.
local post
function kinds.post()
	post = post or wrk.format("POST", nil, nil, os.getenv("BODY"))
	return post
end

local group, tenant = os.getenv("GROUP"), os.getenv("TENANT")
local vaults = tonumber(os.getenv("VAULTS") or "1")
local principals = {}
for id in string.gmatch(os.getenv("PRINCIPALS") or "", "[^,]+") do
	principals[#principals + 1] = id
end

local function vault_path(index)
	return group .. "/providers/Microsoft.KeyVault/vaults/kv-" .. index
end

-- A new vault each time.
function kinds.vault()
	number = number + 1
	return wrk.format("PUT", vault_path(number) .. "?api-version=2023-07-01", nil,
		'{"location":"westeurope","properties":{"tenantId":"' .. tenant ..
		'","sku":{"family":"A","name":"standard"},"enableRbacAuthorization":true}}')
end

-- A new role assignment each time: every principal in turn at every vault.
function kinds.assignment()
	number = number + 1
	local principal = principals[math.floor(number / vaults) % #principals + 1]
	return wrk.format("PUT", vault_path(number % vaults + 1) ..
		"/providers/Microsoft.Authorization/roleAssignments/" ..
		string.format("%08x-0000-4000-8000-%012x", number, number) .. "?api-version=2022-04-01", nil,
		'{"properties":{"principalId":"' .. principal .. '","principalType":"Group",' ..
		'"roleDefinitionId":"/subscriptions/' .. os.getenv("SUBSCRIPTION") ..
		"/providers/Microsoft.Authorization/roleDefinitions/" .. os.getenv("ROLE") .. '"}}')
end

local types = {
	set = "application/json", scatter = "application/json", use = "application/json", vault = "application/json", assignment = "application/json",
	token = "application/x-www-form-urlencoded",
	kv = "application/json", post = "application/json",
}
wrk.headers["Content-Type"] = types[os.getenv("KIND")]
request = kinds[os.getenv("KIND")]
