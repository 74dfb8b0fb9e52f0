/* TestU01 (L'Ecuyer & Simard 2007) on 32-bit words from standard input; how to build and run: docs/randomness.md.

   cc -O2 testu01.c -o testu01 -ltestu01 -lprobdist -lmylib -lm
   python -m benchmarks.battery.feed sme | benchmarks/battery/testu01 small|crush|big [reversed]
*/

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bbattery.h"
#include "unif01.h"

#define WORDS 65536

static uint32_t words[WORDS];
static size_t held = 0, used = 0;
static int reverse = 0;

static unsigned int next(void) {
    if (used == held) {
        held = fread(words, sizeof words[0], WORDS, stdin);
        used = 0;
        if (held == 0) {
            fputs("the words have run out\n", stderr);
            exit(1);
        }
    }
    uint32_t word = words[used++];
    if (reverse) { /* the lower bits first: TestU01 looks most at the upper ones */
        uint32_t turned = 0;
        for (int bit = 0; bit < 32; bit++) turned |= ((word >> bit) & 1u) << (31 - bit);
        return turned;
    }
    return word;
}

int main(int count, char **given) {
    const char *battery = count > 1 ? given[1] : "";
    reverse = count > 2 && strcmp(given[2], "reversed") == 0;
    unif01_Gen *bits = unif01_CreateExternGenBits("keyed draws", next);
    if (strcmp(battery, "small") == 0) bbattery_SmallCrush(bits);
    else if (strcmp(battery, "crush") == 0) bbattery_Crush(bits);
    else if (strcmp(battery, "big") == 0) bbattery_BigCrush(bits);
    else { fputs("one of: small, crush, big\n", stderr); return 2; }
    unif01_DeleteExternGenBits(bits);
    return 0;
}
