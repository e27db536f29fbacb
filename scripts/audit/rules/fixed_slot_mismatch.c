/* ES117 - two constant keys that are in different slots. */
#include "scripts/audit/callfact.h"
#include "scripts/audit/rule.h"

#include <string.h>

enum { SLOTS = 16384 };

/* What is hashed: between the first brace and the first closing one behind it, else all. */
static evs_bytes hashed(evs_bytes key)
{
    const char *open = key.len == 0 ? NULL : memchr(key.data, '{', key.len);
    size_t rest = open == NULL ? 0 : key.len - (size_t)(open + 1 - key.data);
    const char *close = rest == 0 ? NULL : memchr(open + 1, '}', rest);
    if (close == NULL || close == open + 1)
        return key;
    evs_bytes tag = {open + 1, (size_t)(close - open - 1)};
    return tag;
}

/* CRC-16/XMODEM, which is 31c3 of "123456789". Few keys are constants, so there is no table. */
static unsigned crc16(evs_bytes data)
{
    unsigned crc = 0;
    for (size_t i = 0; i < data.len; i++) {
        crc ^= (unsigned)(unsigned char)data.data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
    }
    return crc;
}

/* The slot of a key that is a constant on every path; -1 when it is not known. */
static int slot_of(const evs__keyuse *use)
{
    const evs__atom *single = evs__value_single(use->value);
    if (single == NULL || single->kind != EVS__ATOM_CONSTANT || use->pattern ||
        use->verdict == EVS_VERDICT_UNREACHED)
        return -1;
    return (int)(crc16(hashed(single->text)) % SLOTS);
}

/* Keys of one call must share a slot; with a shebang, so must those of the whole script. */
static int must_match(const evs__facts *facts, const evs__keyuse *a, const evs__keyuse *b)
{
    if (facts->shebang & EVS__SHEBANG_LUA)
        return (facts->shebang & EVS__SHEBANG_ALLOW_CROSS_SLOT) == 0;
    return a->call == b->call && strcmp(a->command, b->command) == 0;
}

static void check(const evs__facts *facts, evs__findings *out)
{
    for (size_t i = 1; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        int slot = slot_of(use);
        for (size_t k = 0; k < i && slot >= 0; k++) {
            int other = slot_of(&facts->uses[k]);
            if (other < 0 || other == slot || !must_match(facts, use, &facts->uses[k]))
                continue;
            evs__finding_add(out, use->at, "this key is in slot %d, and the one in line %d in %d",
                             slot, facts->uses[k].at.line, other);
            break;
        }
    }
}

const evs__rule evs__rule_fixed_slot_mismatch = {
    .info =
        {
            .code = "ES117",
            .name = "fixed-slot-mismatch",
            .severity = EVS_SEVERITY_ERROR,
            .tier = EVS_TIER_C,
            .why = "Both names are known, so their slots are: they differ, and no "
                   "node of a cluster runs the command.",
            .bad = "return redis.call('MGET', '{a}1', '{b}1')",
            .good = "return redis.call('MGET', KEYS[1], KEYS[2])",
            .exceptions = "",
            .false_positives = "None on clusters.",
            .server = "Command 'mget' in script attempted to access keys that don't hash "
                      "to the same slot",
            .fix = "give both the same {tag}, and pass them in KEYS",
            .companions = "ES101 ES110",
            .target = "",
        },
    .check = check,
};
