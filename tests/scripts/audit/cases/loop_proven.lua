-- loops with a recognised end
-- verdict: no_keys
local position, parts, text = 1, {}, ARGV[1]
while true do
    local from, to = text:find(',', position, true)
    if not from then break end
    parts[#parts + 1] = text:sub(position, from - 1)
    position = to + 1
end
local n = #text
while n > 0 do n = math.floor(n / 2) end
local i = 0
repeat
    if parts[i] then i = i + 1 else i = i + 2 end
until i > 10
local step, left = 5, 50
while left > 0 do left = left - step end
local stack = {1, 2}
while next(stack) do table.remove(stack) end
local j = #parts
while j >= 1 and parts[j] ~= '' do j = j - 1 end
return i
