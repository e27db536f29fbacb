-- recursion that descends
-- verdict: no_keys
local function down(n) if n <= 0 then return 0 end return 1 + down(n - 1) end
local function depth(value, level)
    if level > 10 then return 0 end
    if type(value) == 'table' then return depth(value, level + 1) end
    return level
end
local function count(value)
    local n = 0
    for _, part in pairs(value) do
        if type(part) == 'table' then n = n + count(part) else n = n + 1 end
    end
    return n
end
local function list(node) if node == nil then return 0 end return 1 + list(node.next) end
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
local data = cjson.decode(ARGV[1])
return {down(10), depth(data, 1), count(data), list(data), even(10)}
