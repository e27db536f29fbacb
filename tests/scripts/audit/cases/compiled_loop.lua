-- One text, compiled over and over
-- verdict: declared
for i = 1, #KEYS do
    loadstring("local i = ... redis.call('DEL', KEYS[i])")(i)
end
