/** Batches that tell whoever reads them who wrote them. */
import { Readable } from 'node:stream'
import t from 'tap'
import { publicKeyId, type SigningKey, signingKeyFromSeed } from '../../../src/engine/crypto/signature.js'
import { AteError, errorCode } from '../../../src/engine/error.js'
import { MAX_PROOF_KEYS, MAX_PROOF_RUN_BYTES, MAX_PROOF_SHARE, MAX_UNPROVEN_BYTES } from '../../../src/engine/limits.js'
import { type AuthoredBatch, authorsOf } from '../../../src/engine/log/authors.js'
import { type BatchAuthor, macAuthor, provenAuthor } from '../../../src/engine/log/batch-author.js'
import { decodeProof, encodeProof, type Proof } from '../../../src/engine/log/format/proof-format.js'
import {
  type BatchBytes,
  createLog,
  openLog,
  proofRuns,
  readBatches,
  verifyLog,
} from '../../../src/engine/log/index.js'
import { NOTHING_SIGNED, planProofs, type ProofPlan } from '../../../src/engine/log/proof-plan.js'
import { ProofQueue } from '../../../src/engine/log/proof-queue.js'
import { type BatchDraft, type Finding, GROUP_CONTENT, GROUP_RECORDS } from '../../../src/engine/log/types.js'
import { RunEnd } from '../../../src/engine/log/run-end.js'
import { FaultStorage, mediumAfter } from '../../helpers/fault-storage.js'
import { fuzzDecoder } from '../../helpers/fuzz-decoder.js'
import { clock, crypto, draft, keys, numbersOf, open } from '../../helpers/log-workbench.js'

const [alice, bob] = [keyOf(1), keyOf(2)]

function keyOf(number: number): SigningKey {
  return signingKeyFromSeed(new Uint8Array(64).fill(number))
}

const idOf = ({ suite, publicKey }: SigningKey): string => hex(publicKeyId(crypto, suite, publicKey))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function signedBy(number: number, ...signers: SigningKey[]): BatchDraft {
  return { ...draft(number, 100), signers }
}

async function distributed(...appends: BatchDraft[][]): Promise<FaultStorage> {
  const storage = new FaultStorage()
  await createLog({ storage, crypto, keys, clock, trust: 'distributed' })
  const { log } = await open({ storage })
  for (const drafts of appends) await log.append(drafts)
  await log.close()
  return storage
}

function segmentOf(storage: FaultStorage): Uint8Array {
  const file = storage.snapshot().get('0000000001.seg')
  return file === undefined ? new Uint8Array(0) : file.bytes.slice(0, file.length)
}

async function authors(segment: Uint8Array): Promise<AuthoredBatch[]> {
  const batches: AuthoredBatch[] = []
  for await (const batch of authorsOf(crypto, segment)) batches.push(batch)
  return batches
}

const signersIn = (batches: readonly AuthoredBatch[]): string[][] => batches.map(({ signers }) => signers.map(hex))

await t.test('who wrote what is told by the bytes of a segment alone', async (t) => {
  const storage = await distributed([signedBy(1, alice)], [signedBy(2, bob), signedBy(3), signedBy(4, alice, bob)])
  const batches = await authors(segmentOf(storage))
  t.same(
    batches.map(({ sequence, isWhole }) => [sequence, isWhole]),
    [1, 2, 3, 4].map((sequence) => [sequence, true]),
  )
  t.strictSame(
    signersIn(batches).map((ids) => ids.sort()),
    [[idOf(alice)], [idOf(bob)], [], [idOf(alice), idOf(bob)].sort()],
  )
  t.same(numbersOf((await open({ storage, readOnly: true })).batches), [1, 2, 3, 4])
  const findings: Finding[] = []
  for await (const finding of verifyLog({ storage, crypto, keys })) findings.push(finding)
  t.same(findings, [])
})

await t.test('commits that are written together share one signature of each key', async (t) => {
  const storage = await distributed(Array.from({ length: 40 }, (_, i) => signedBy(i + 1, alice)))
  t.strictSame(
    signersIn(await authors(segmentOf(storage))),
    Array.from({ length: 40 }, () => [idOf(alice)]),
  )
  const bytes = segmentOf(storage).length
  t.ok(bytes < 60_000, `${bytes} bytes: 40 signatures would take 214,000`)
})

await t.test('no byte of what was signed can be changed without a key', async (t) => {
  const segment = segmentOf(await distributed([signedBy(1, alice), signedBy(2, bob)]))
  const right = signersIn(await authors(segment))
  let changed = 0
  for (let at = 152 + 32; at < segment.length; at += 97) {
    const forged = segment.slice()
    forged[at] = (forged[at] ?? 0) ^ 1
    const batches = await authors(forged).catch(() => [])
    // What is not whole tells that it is not; the frame's own checks end the log before the rest.
    const isTold = batches.some(({ isWhole }) => !isWhole) || batches.length < 2
    if (!isTold) t.strictSame(signersIn(batches), right, `byte ${at}`)
    else changed++
  }
  t.ok(changed > 50, `${changed} changes were told`)
})

await t.test('a signature of another batch, another number of batches or another key does not verify', async (t) => {
  const { log, proofs } = await recorded([signedBy(1, alice), signedBy(2, alice)], [signedBy(3, bob)])
  const [first, second, third] = proofs
  if (first === undefined || second === undefined || third === undefined) return t.fail()
  const signers = (authorship: typeof second): string[] =>
    new ProofQueue<number>(crypto).take(1, authorship).flatMap(({ signers }) => signers().map(hex))
  t.strictSame(signers(second), [idOf(alice)])
  t.throws(() => signers({ ...second, headDigest: third.headDigest }), { code: 'BAD_SIGNATURE' })
  const [entry] = second.proof.entries
  const [other] = third.proof.entries
  if (entry === undefined || other === undefined) return t.fail()
  const withEntry =
    (changes: Partial<typeof entry>): (() => string[]) =>
    () =>
      signers({ ...second, proof: { ahead: 0, entries: [{ ...entry, ...changes }] } })
  t.throws(withEntry({ distances: [0] }), { code: 'BAD_SIGNATURE' }, 'fewer batches')
  t.throws(withEntry({ distances: [0, 1, 2] }), { code: 'BAD_SIGNATURE' }, 'more batches')
  t.throws(withEntry({ publicKey: other.publicKey }), { code: 'BAD_SIGNATURE' })
  t.throws(withEntry({ signature: other.signature }), { code: 'BAD_SIGNATURE' })
  await log.close()
})

async function recorded(...appends: BatchDraft[][]) {
  const storage = await distributed(...appends)
  const opened = await open({ storage, readOnly: true })
  const proofs = opened.batches.map(({ authorship }) => authorship).filter((one) => one !== undefined)
  return { log: opened.log, proofs }
}

await t.test(
  'batches wait for their signatures in order, and those that never come are signed by nobody',
  async (t) => {
    const { proofs, log } = await recorded([signedBy(1, alice), signedBy(2, bob), signedBy(3, alice)])
    await log.close()
    const [one, two, three] = proofs
    if (one === undefined || two === undefined || three === undefined) return t.fail()
    const queue = new ProofQueue<number>(crypto)
    t.strictSame(queue.take(1, one), [])
    t.strictSame(queue.take(2, two), [])
    t.strictSame(
      queue.take(3, three).map(({ item, signers }) => [item, signers().map(hex)]),
      [
        [1, [idOf(alice)]],
        [2, [idOf(bob)]],
        [3, [idOf(alice)]],
      ],
    )
    const torn = new ProofQueue<number>(crypto)
    torn.take(1, one)
    torn.take(2, two)
    t.strictSame(
      torn.end().map(({ item, signers }) => [item, signers()]),
      [
        [1, []],
        [2, []],
      ],
    )
    t.strictSame(
      new ProofQueue<number>(crypto).take(1, one, false).map(({ signers }) => signers()),
      [[]],
      'one that may not wait',
    )
  },
)

await t.test('a plan signs large batches at once and never more than fits', async (t) => {
  const large = (number: number): BatchDraft => ({
    groups: [{ kind: GROUP_RECORDS, number, parts: [new Uint8Array(MAX_UNPROVEN_BYTES + 1)] }],
    signers: [alice],
  })
  const ahead = (drafts: BatchDraft[]): number[] => planProofs(drafts).map((plan) => plan.ahead)
  t.strictSame(ahead([signedBy(1, alice), signedBy(2), signedBy(3, bob)]), [2, 0, 0])
  t.strictSame(ahead([large(1), large(2), signedBy(3, alice)]), [0, 0, 0])
  const many = ahead(Array.from({ length: 100 }, (_, i) => signedBy(i, alice)))
  t.strictSame(many.slice(0, 3), [63, 62, 61])
  t.equal(many[MAX_PROOF_SHARE - 1], 0)
  t.equal(many[99], 0)
  const keyed = Array.from({ length: MAX_PROOF_KEYS + 1 }, (_, i) => keyOf(i + 10))
  t.equal(planProofs(keyed.map((key, i) => signedBy(i, key))).filter(({ signers }) => signers.size > 0).length, 2)
  t.throws(() => planProofs([signedBy(1, ...keyed)]), { code: 'BAD_ARGUMENT' })
  t.strictSame(ahead([1, 2, 3].map((number) => withContent(number, MAX_PROOF_RUN_BYTES / 2))), [1, 0, 0])
})

function withContent(number: number, bytes: number): BatchDraft {
  return { groups: [{ kind: GROUP_CONTENT, number, parts: [new Uint8Array(bytes)] }], signers: [alice] }
}

await t.test('batches that share signatures are written at once, however much is written with them', async (t) => {
  const MiB = 1024 * 1024
  const first = withContent(1, 4 * MiB)
  const records = { kind: GROUP_RECORDS, number: 1, parts: [new Uint8Array(MAX_UNPROVEN_BYTES + 1)] } as const
  const { operations } = await distributed([
    { groups: [...first.groups, records], signers: [bob] },
    withContent(2, 3 * MiB),
    withContent(3, 3 * MiB),
    withContent(4, 3 * MiB),
  ])
  const counts = new Set<number>()
  for (let end = 1; end <= operations.length; end++) {
    if (operations[end - 1]?.kind !== 'write' && end < operations.length) continue
    const storage = FaultStorage.holding(mediumAfter(operations.slice(0, end), 'all'))
    const run = new RunEnd()
    let count = 0
    const onBatch = ({ authorship }: { authorship?: { proof: Proof } | undefined }): void => {
      run.add(0, authorship?.proof.ahead ?? 0)
      count++
    }
    if (!storage.files.has('manifest')) continue
    const { log } = await openLog({ storage, crypto, keys, clock, readOnly: true, onBatch })
    await log.close()
    t.ok(run.isWhole, `after ${count} batches`)
    counts.add(count)
  }
  t.strictSame([...counts], [0, 1, 3, 4])
})

await t.test(
  'runs of batches end with their last signatures, and never become longer than may be shared',
  async (t) => {
    const three = [signedBy(1, alice), signedBy(2), signedBy(3, bob)]
    const many = Array.from({ length: 100 }, (_, i) => signedBy(i + 6, alice))
    const storage = await distributed(three, [signedBy(4), signedBy(5)], many)
    const batches: BatchBytes[] = []
    for await (const { bytes } of readBatches({ storage, crypto, keys }, 1, 105))
      batches.push({ head: bytes.head.slice(), groups: bytes.groups.slice() })
    const lengths = async (given: readonly BatchBytes[]): Promise<number[]> => {
      const found: number[] = []
      for await (const run of proofRuns(Readable.from(given) as AsyncIterable<BatchBytes>)) found.push(run.length)
      return found
    }
    t.strictSame(await lengths(batches), [3, 1, 1, 64, 36])
    t.strictSame(await lengths(batches.slice(0, 2)), [2], 'the end')
    const [, , , , , endless] = batches
    if (endless === undefined) return t.fail()
    t.strictSame(await lengths(Array.from({ length: 130 }, () => endless)), [64, 64, 2], 'signatures that never come')
    const unreadable = { head: endless.head.subarray(0, 99), groups: endless.groups }
    t.strictSame(await lengths([unreadable, unreadable]), [1, 1])
  },
)

await t.test('a chain is of one trust for good: programs and manifests that say otherwise are refused', async (t) => {
  const storage = await distributed([signedBy(1, alice)])
  const files = storage.snapshot()
  const local = new FaultStorage()
  await createLog({ storage: local, crypto, keys, clock })
  const { log } = await open({ storage: local })
  await log.append([draft(1)])
  await log.close()
  const manifest = local.snapshot().get('manifest')
  const signedManifest = files.get('manifest')
  if (manifest === undefined || signedManifest === undefined) return t.fail()
  t.equal(signedManifest.bytes[20], 4)
  await storage.replaceSmall('manifest', manifest.bytes.slice(0, manifest.length))
  await t.rejects(open({ storage, readOnly: true }), { code: 'CHAIN_DAMAGED' })
  await local.replaceSmall('manifest', signedManifest.bytes.slice(0, signedManifest.length))
  await t.rejects(open({ storage: local, readOnly: true }), { code: 'CHAIN_DAMAGED' })
  await t.rejects(authors(segmentOf(local)), { code: 'NOT_SUPPORTED' })
})

await t.test('without its manifest a signed log is still read', async (t) => {
  const storage = await distributed([signedBy(1, alice)])
  await storage.remove('manifest')
  const findings: Finding[] = []
  const numbers: number[][] = []
  const { log } = await openLog({
    storage,
    crypto,
    keys,
    clock,
    readOnly: true,
    allowDamage: true,
    onBatch: (batch) => void numbers.push(numbersOf([batch])),
    onFinding: (finding) => findings.push(finding),
  })
  await log.close()
  t.same(numbers, [[1]])
  t.match(findings, [{ kind: 'manifest' }])
})

await t.test('each kind of authentication refuses what is not its own', async (t) => {
  const bytes = Uint8Array.of(1, 2, 3)
  const signed: ProofPlan = { ahead: 0, signers: new Map([[alice, [0]]]) }
  const cases: [BatchAuthor, ProofPlan][] = [
    [macAuthor(crypto, keys.author), NOTHING_SIGNED],
    [provenAuthor(crypto, keys.author), NOTHING_SIGNED],
    [provenAuthor(crypto, keys.author), signed],
  ]
  for (const [author, plan] of cases) {
    const auth = author.authenticate(bytes, plan)
    const verify = (message: Uint8Array, given: Uint8Array): boolean => author.verify(author.authKind, message, given)
    t.equal(auth.length, author.authBytes(plan))
    t.ok(verify(bytes, auth))
    t.notOk(author.verify(3 - author.authKind, bytes, auth))
    t.notOk(verify(Uint8Array.of(1, 2, 4), auth))
    t.notOk(verify(bytes, auth.subarray(1)))
    t.notOk(verify(bytes, new Uint8Array(0)))
    auth[0] = (auth[0] ?? 0) ^ 1
    t.notOk(verify(bytes, auth))
  }
})

await t.test('a proof has one spelling, and whatever else is refused', async (t) => {
  const entry = (key: SigningKey, distances: number[]): Proof['entries'][number] => ({
    suite: key.suite,
    publicKey: key.publicKey,
    distances,
    signature: new Uint8Array(3373).fill(7),
  })
  const samples: Proof[] = [
    { ahead: 0, entries: [] },
    { ahead: 63, entries: [] },
    { ahead: 0, entries: [entry(alice, [0])] },
    { ahead: 3, entries: [entry(alice, [0, 5, 63]), entry(bob, [1])] },
  ]
  for (const sample of samples) t.same(decodeProof(encodeProof(sample)), sample)
  fuzzDecoder(t, samples.map(encodeProof), decodeProofOrRefuse, encodeProof)
})

/** A suite that is not known is refused as such, with a code of its own. */
function decodeProofOrRefuse(bytes: Uint8Array): Proof {
  try {
    return decodeProof(bytes)
  } catch (error) {
    if (errorCode(error) === 'UNSUPPORTED_FORMAT') throw new AteError('BAD_FORMAT', 'unknown suite')
    throw error
  }
}
