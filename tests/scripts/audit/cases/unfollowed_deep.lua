-- a function is called deeper than calls are followed
-- verdict: unproven
-- expect: ES105 5:46
-- expect: ES006 12:21
local function f(k) return redis.call('GET', k) end
f(KEYS[1])
local function g0() f('x') end
local function g1() g0() end
local function g2() g1() end
local function g3() g2() end
local function g4() g3() end
local function g5() g4() end
local function g6() g5() end
local function g7() g6() end
local function g8() g7() end
local function g9() g8() end
local function g10() g9() end
local function g11() g10() end
local function g12() g11() end
local function g13() g12() end
local function g14() g13() end
local function g15() g14() end
local function g16() g15() end
local function g17() g16() end
local function g18() g17() end
local function g19() g18() end
local function g20() g19() end
local function g21() g20() end
local function g22() g21() end
local function g23() g22() end
local function g24() g23() end
local function g25() g24() end
local function g26() g25() end
local function g27() g26() end
local function g28() g27() end
local function g29() g28() end
local function g30() g29() end
local function g31() g30() end
local function g32() g31() end
local function g33() g32() end
local function g34() g33() end
local function g35() g34() end
local function g36() g35() end
local function g37() g36() end
local function g38() g37() end
local function g39() g38() end
local function g40() g39() end
local function g41() g40() end
local function g42() g41() end
local function g43() g42() end
g43()
