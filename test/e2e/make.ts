/** A C project built by make: compilers map their inputs, make compares times to the nanosecond. */
import t from 'tap'
import { onOrdinaryMount } from '../helpers/vault.js'

const UNITS = 30

const makeProject = `
  for i in $(seq 1 ${UNITS}); do
    printf '#include "all.h"\\nint f%d(int x) { return x + %d; }\\n' $i $i > f$i.c
    echo "int f$i(int);" >> all.h
  done
  { echo '#include <stdio.h>'; echo '#include "all.h"'; echo 'int main(void) { int s = 0;'
    for i in $(seq 1 ${UNITS}); do echo "s = f$i(s);"; done
    echo 'printf("%d ", s); return 0; }'; } > main.c
  cat > Makefile <<'RULES'
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
program: libunits.a main.o
	cc -o $@ main.o -L. -lunits
libunits.a: $(filter-out main.o,$(OBJECTS))
	ar rcs $@ $^
%.o: %.c all.h
	cc -O1 -g -c -o $@ $<
RULES`

onOrdinaryMount(t, 'make: a C build runs, and does again only what must be done', async (t, vault) => {
  const sum = String((UNITS * (UNITS + 1)) / 2)
  await vault.shell(makeProject)
  await vault.run('make', ['-j4'])
  t.equal((await vault.run('./program', [])).trim(), sum)
  t.match(await vault.run('make', []), /is up to date/)
  await vault.remount()
  t.match(await vault.run('make', []), /is up to date/, 'times survive a remount')
  t.equal((await vault.run('./program', [])).trim(), sum, 'and the program runs')
  await vault.run('touch', ['f7.c'])
  const again = await vault.run('make', [])
  t.match(again, /-o f7\.o/)
  t.notMatch(again, /-o f8\.o/)
})
