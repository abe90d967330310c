/**
 * Every label under which something is hashed, authenticated, signed, sealed or derived. A label begins with its own
 * length, so none is a prefix of another, and no message made for one purpose can be taken for one of another.
 * Labels are part of the format: never change one, add a new one.
 */
function label(purpose: string): Uint8Array {
  const text = new TextEncoder().encode(`atefs v1 ${purpose}`)
  const bytes = new Uint8Array(1 + text.length)
  bytes[0] = text.length
  bytes.set(text, 1)
  return bytes
}

export const LABELS = {
  // keys derived from the root key
  manifestKey: label('manifest key'),
  keyringKey: label('keyring key'),
  anchorKey: label('anchor key'),
  nameKey: label('name key'),
  authorKey: label('author key'),
  memberKey: label('member key'),
  accessKey: label('access key'),
  indexKey: label('index key'),
  writerKey: label('writer key'),
  // keys derived from a data key
  keyId: label('key id'),
  sealingKey: label('sealing key'),
  // derived from the name key
  lockNames: label('lock names'),
  // log
  group: label('group'),
  batch: label('batch'),
  batchMac: label('batch mac'),
  batchHead: label('batch head'),
  batchSignature: label('batch signature'),
  link: label('link'),
  segment: label('segment'),
  manifest: label('manifest'),
  anchor: label('anchor'),
  exportEnd: label('end of export'),
  // index
  indexLeaf: label('index leaf'),
  indexRoot: label('index root'),
  // keyring
  keyring: label('keyring'),
  keySlot: label('key slot'),
  // public keys
  signature: label('signature'),
  publicKeyId: label('public key id'),
  // what people hold
  readKeyId: label('read key id'),
  accessKeyWrap: label('access key wrap'),
  objectData: label('object data'),
  message: label('message'),
  programSeal: label('program seal'),
  box: label('box'),
  // wire
  wireHello: label('wire hello'),
  wireTranscript: label('wire transcript'),
  wireServer: label('wire server'),
  wireClient: label('wire client'),
  wireClientFrames: label('wire client frames'),
  wireServerFrames: label('wire server frames'),
  wireFrameKey: label('wire frame key'),
  wireNextSecret: label('wire next secret'),
  // chains at servers
  serverOfChain: label('server of chain'),
  serverHead: label('server head'),
  writerTurn: label('writer turn'),
} as const
