#!lua flags=no-writes
--- Every production once.
-- @key k
local a, b = 1, 0x1F
local function f(x, ...) return x, ..., arg end
function t.u.v:m(p) self.p = p; return self end
for i = 1, 10, 2 do a = a + i * 2 ^ -i % 3 / 4 end
for k, v in pairs({1, 2; x = 3, ["y"] = 4, [5] = f}) do
  if k == "x" and v ~= 2 then break elseif not v or #k <= 3 then goto_ = nil else a, b = b, a end
end
while a < b do repeat local z = a > b until z >= 1 or false end
do t["k"][1], t.l = f"s", f{1}; (f or a)(...) end
t:m(1):m"2":m{3}
return function(...) return (f(...)), [==[long ]=] ]==], 'a\065\
\n' .. "b" .. [[
c]] end --[[end]]
