#!lua "flags=no-\x77rites" 'flags='
return [[ [[ ]]

--[=[ x