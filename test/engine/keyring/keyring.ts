import t from 'tap'
import { nativeCrypto as crypto } from '../../../src/adapters/node/native-crypto.js'
import { fromLatin1 } from '../../../src/engine/bytes/latin1.js'
import { deriveChainKeys } from '../../../src/engine/crypto/chain-keys.js'
import { errorCode } from '../../../src/engine/error.js'
import * as keyring from '../../../src/engine/keyring/keyring.js'
import { decodeKeyring, encodeKeyring, MAX_SLOTS } from '../../../src/engine/keyring/keyring-file.js'

const cost = { memoryKiB: 8, passes: 1, lanes: 1 }
const rootKey = Uint8Array.from({ length: 32 }, (_, i) => i)
const chainId = new Uint8Array(16).fill(4)
const passphrase = fromLatin1('correct horse')
const second = fromLatin1('battery staple')
const wrong = fromLatin1('correct horsf')

const slot = (passphrase: Uint8Array, label = 'laptop'): keyring.NewSlot => ({
  passphrase,
  label,
  cost,
  createdMs: 1234,
})
const make = () => keyring.createKeyring(crypto, { ...slot(passphrase), chainId, suite: 1, rootKey })
const file = await make()

t.test('the passphrase gives the root key, the chain and the suite', async (t) => {
  const opened = await keyring.openKeyring(crypto, file, passphrase)
  t.same(opened.rootKey, rootKey)
  t.same(opened.chainId, chainId)
  t.equal(opened.suite, 1)
  t.equal(opened.generation, 1)
  t.equal(opened.slotId, keyring.listSlots(file)[0]?.id)
})

t.test('any other passphrase is wrong, and none is empty', async (t) => {
  for (const other of [wrong, passphrase.subarray(1), second, fromLatin1('correct horse ')]) {
    await t.rejects(keyring.openKeyring(crypto, file, other), { code: 'WRONG_PASSPHRASE' })
  }
  await t.rejects(keyring.openKeyring(crypto, file, new Uint8Array(0)), { code: 'EMPTY_PASSPHRASE' })
  await t.rejects(keyring.createKeyring(crypto, { ...slot(new Uint8Array(0)), chainId, suite: 1, rootKey }), {
    code: 'EMPTY_PASSPHRASE',
  })
})

t.test('chain, suite and slots can be read without a passphrase, and nothing secret is among them', async (t) => {
  const info = keyring.describeKeyring(file)
  t.same(info.chainId, chainId)
  t.equal(info.suite, 1)
  t.equal(info.generation, 1)
  const [only, ...more] = info.slots
  t.same(more, [])
  t.match(only, { label: 'laptop', createdMs: 1234, cost, id: /^[0-9a-f]{16}$/ })
  t.same(Object.keys(only ?? {}).sort(), ['cost', 'createdMs', 'id', 'label'])
  t.notOk(Buffer.from(file).includes(Buffer.from(rootKey)), 'the root key is not in the file')
})

t.test('no two files for the same passphrase and key are alike', async (t) => {
  const again = await make()
  const middle = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(-180, -40)).toString('hex')
  t.not(middle(again), middle(file))
})

t.test('an added slot opens beside the first', async (t) => {
  const both = await keyring.addSlot(crypto, file, passphrase, slot(second, 'desktop'))
  t.same((await keyring.openKeyring(crypto, both, passphrase)).rootKey, rootKey)
  const opened = await keyring.openKeyring(crypto, both, second)
  t.same(opened.rootKey, rootKey)
  t.equal(opened.generation, 2)
  const slots = keyring.listSlots(both)
  t.same(
    slots.map((slot) => slot.label),
    ['laptop', 'desktop'],
  )
  t.equal(opened.slotId, slots[1]?.id)
  await t.rejects(keyring.openKeyring(crypto, both, wrong), { code: 'WRONG_PASSPHRASE' })
})

t.test('a changed slot opens with the new passphrase only, and the others stay', async (t) => {
  const both = await keyring.addSlot(crypto, file, passphrase, slot(second, 'desktop'))
  const changed = await keyring.changeSlot(crypto, both, passphrase, slot(wrong, 'new'))
  await t.rejects(keyring.openKeyring(crypto, changed, passphrase), { code: 'WRONG_PASSPHRASE' })
  t.same((await keyring.openKeyring(crypto, changed, wrong)).rootKey, rootKey)
  t.same((await keyring.openKeyring(crypto, changed, second)).rootKey, rootKey)
  t.same(
    keyring.listSlots(changed).map((slot) => slot.label),
    ['new', 'desktop'],
  )
  t.equal(keyring.describeKeyring(changed).generation, 3)
  t.same((await keyring.openKeyring(crypto, both, passphrase)).rootKey, rootKey, 'the old file still opens')
})

t.test('a removed slot no longer opens; the last and unknown ones are not removed', async (t) => {
  const both = await keyring.addSlot(crypto, file, passphrase, slot(second))
  const first = keyring.listSlots(both)[0]?.id ?? ''
  const left = await keyring.removeSlot(crypto, both, second, first)
  await t.rejects(keyring.openKeyring(crypto, left, passphrase), { code: 'WRONG_PASSPHRASE' })
  t.same((await keyring.openKeyring(crypto, left, second)).rootKey, rootKey)
  await t.rejects(keyring.removeSlot(crypto, left, second, first), { code: 'KEY_SLOT_NOT_FOUND' })
  const last = keyring.listSlots(left)[0]?.id ?? ''
  await t.rejects(keyring.removeSlot(crypto, left, second, last), { code: 'LAST_KEY_SLOT' })
})

t.test('changes need a passphrase that opens', async (t) => {
  const id = keyring.listSlots(file)[0]?.id ?? ''
  await t.rejects(keyring.addSlot(crypto, file, wrong, slot(second)), { code: 'WRONG_PASSPHRASE' })
  await t.rejects(keyring.changeSlot(crypto, file, wrong, slot(second)), { code: 'WRONG_PASSPHRASE' })
  await t.rejects(keyring.removeSlot(crypto, file, wrong, id), { code: 'WRONG_PASSPHRASE' })
})

t.test('labels and the number of slots are bounded', async (t) => {
  const long = slot(second, 'x'.repeat(201))
  await t.rejects(keyring.addSlot(crypto, file, passphrase, long), { code: 'BAD_ARGUMENT' })
  const one = decodeKeyring(file)
  const slots = Array.from({ length: MAX_SLOTS }, () => one.slots).flat()
  const full = encodeKeyring(crypto, { ...one, slots }, rootKey)
  await t.rejects(keyring.addSlot(crypto, full, passphrase, slot(second)), { code: 'BAD_ARGUMENT' })
  t.same((await keyring.openKeyring(crypto, full, passphrase)).rootKey, rootKey)
})

t.test('every flipped bit is seen, whether or not the passphrase is right', async (t) => {
  for (let bit = 0; bit < file.length * 8; bit += 3) {
    const damaged = file.slice()
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const code = await keyring.openKeyring(crypto, damaged, passphrase).then(() => 'opened', errorCode)
    if (code !== 'KEYRING_DAMAGED') t.fail(`bit ${bit}: ${code ?? 'another error'}`)
  }
})

t.test('every cut is seen', async (t) => {
  for (let length = 0; length < file.length; length++) {
    t.throws(() => keyring.describeKeyring(file.subarray(0, length)), { code: 'KEYRING_DAMAGED' })
  }
  t.throws(() => keyring.describeKeyring(new Uint8Array(2 * 1024 * 1024)), { code: 'KEYRING_DAMAGED' })
})

t.test('a later keyring is one of the chain alone, and none that others made', async (t) => {
  const { keyringKey } = deriveChainKeys(crypto, rootKey, chainId, 1)
  const isLater = (ours: Uint8Array, theirs: Uint8Array, id = chainId): boolean =>
    keyring.isLaterKeyring(crypto, { chainId: id, keyringKey }, ours, theirs)
  const later = await keyring.addSlot(crypto, file, passphrase, slot(second))
  t.ok(isLater(file, later))
  t.notOk(isLater(later, file), 'an older one')
  t.notOk(isLater(file, file))
  t.notOk(isLater(file, later, new Uint8Array(16)), 'of another chain')
  const decoded = { ...decodeKeyring(later), generation: 1000 }
  t.notOk(isLater(file, encodeKeyring(crypto, decoded, new Uint8Array(32))), 'by somebody without the key')
  for (let at = 0; at < later.length - 4; at += 7) {
    const changed = later.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    t.notOk(isLater(file, changed), `byte ${at}`)
  }
  for (const bytes of [new Uint8Array(0), new Uint8Array(36), later.subarray(0, 40)]) t.notOk(isLater(file, bytes))
})
