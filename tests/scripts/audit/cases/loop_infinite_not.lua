-- ways out of loops that look endless
-- verdict: no_keys
local n = 0
while true do
    n = n + 1
    if n > 10 then break end
end
local function first()
    local i = 0
    while true do
        i = i + 1
        if i == 3 then return i end
    end
end
local function fail()
    local i = 0
    repeat
        i = i + 1
        if i > 3 then error('no') end
    until false
end
local function check()
    local i = 0
    while true do
        i = i + 1
        assert(i < 10)
    end
end
for i = 1, math.huge do if i > 3 then break end end
for i = 1, 5, 0 do n = n + 1 end
return {first(), pcall(fail), pcall(check), n}
