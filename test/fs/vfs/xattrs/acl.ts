import * as fc from 'fast-check'
import t from 'tap'
import { errorCode } from '../../../../src/engine/error.js'
import {
  encodeAcl,
  inherited,
  isMinimal,
  parseAcl,
  permissionsOf,
  withMode,
  type Acl,
} from '../../../../src/fs/vfs/xattrs/acl.js'

const ANY = 0xffff_ffff
const minimal: Acl = [
  { tag: 1, permissions: 7, id: ANY },
  { tag: 4, permissions: 5, id: ANY },
  { tag: 32, permissions: 4, id: ANY },
]
const extended: Acl = [
  { tag: 1, permissions: 7, id: ANY },
  { tag: 2, permissions: 6, id: 1000 },
  { tag: 2, permissions: 4, id: 1001 },
  { tag: 4, permissions: 5, id: ANY },
  { tag: 8, permissions: 7, id: 50 },
  { tag: 16, permissions: 6, id: ANY },
  { tag: 32, permissions: 1, id: ANY },
]

t.test('a list comes back as it was', async (t) => {
  t.same(parseAcl(encodeAcl(minimal)), minimal)
  t.same(parseAcl(encodeAcl(extended)), extended)
})

t.test('lists that are not valid are refused', async (t) => {
  const refused: Record<string, Acl> = {
    'no owner': minimal.slice(1),
    'no others': minimal.slice(0, 2),
    'out of order': [...minimal].reverse(),
    'named entries without a mask': extended.filter(({ tag }) => tag !== 16),
    'one user twice': [extended[0], extended[1], extended[1], ...extended.slice(3)].flatMap((entry) => entry ?? []),
    'an unknown tag': [...minimal, { tag: 64, permissions: 0, id: ANY }],
    'unknown permissions': minimal.map((entry) => ({ ...entry, permissions: 8 })),
  }
  for (const [why, acl] of Object.entries(refused)) t.throws(() => parseAcl(encodeAcl(acl)), { code: 'INVALID' }, why)
  t.throws(() => parseAcl(new Uint8Array()), { code: 'INVALID' })
  t.throws(() => parseAcl(encodeAcl(minimal).subarray(0, 27)), { code: 'INVALID' })
  t.throws(() => parseAcl(Uint8Array.of(3, ...encodeAcl(minimal).subarray(1))), { code: 'INVALID' }, 'another version')
})

t.test('the group bits of the mode are the mask where there is one', async (t) => {
  t.equal(permissionsOf(minimal), 0o754)
  t.equal(permissionsOf(extended), 0o761)
  t.ok(isMinimal(minimal))
  t.notOk(isMinimal(extended))
})

t.test('chmod changes the mask and leaves the group entry', async (t) => {
  const changed = withMode(extended, 0o604)
  t.equal(permissionsOf(changed), 0o604)
  t.equal(changed.find(({ tag }) => tag === 4)?.permissions, 5)
  t.equal(changed.find(({ tag }) => tag === 16)?.permissions, 0)
  t.equal(permissionsOf(withMode(minimal, 0o640)), 0o640)
})

t.test('a new file gets what both the default list and its maker allow', async (t) => {
  t.equal(permissionsOf(inherited(extended, 0o666)), 0o660)
  t.equal(permissionsOf(inherited(extended, 0o777)), 0o761)
  t.equal(permissionsOf(inherited(minimal, 0o666)), 0o644)
})

t.test('hostile bytes are refused', async (t) => {
  const sample = encodeAcl(extended)
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 3 }).map((changes) => {
      const changed = sample.slice()
      for (const [at, value] of changes) changed[at] = value
      return changed
    }),
  )
  let taken = 0
  fc.assert(
    fc.property(bytes, (bytes) => {
      try {
        const acl = parseAcl(bytes)
        taken++
        return Buffer.compare(encodeAcl(acl), bytes) === 0 && permissionsOf(acl) <= 0o777
      } catch (error) {
        return errorCode(error) === 'INVALID'
      }
    }),
    { seed: 9, numRuns: 3000 },
  )
  t.ok(taken > 0)
})
