/** The library, but for what opens chains: that differs between Node and browsers. */
export { Chain } from './engine/dio/chain.js'
export type { TransactOptions } from './engine/dio/chain-access.js'
export type { CommitOptions, Durability } from './engine/dio/commit-options.js'
export { type DaoInfo, infoOf, keyOf } from './engine/dio/dao-state.js'
export type {
  CollectionEvent,
  Dao,
  DaoChild,
  DaoChildMut,
  DaoForeign,
  DaoForeignMut,
  DaoMap,
  DaoMapMut,
  DaoMut,
  DaoVec,
  DaoVecMut,
  DaoWeak,
  DaoWeakMut,
  ForeignChains,
  ForeignReference,
  Frozen,
  Linked,
  LinkedMut,
  Subscription,
} from './engine/dio/dao.js'
export {
  type DataType,
  dataType,
  type FieldsOf,
  type IndexableField,
  type IndexedFieldOf,
  type IndexedValue,
  type IndexedValueOf,
  type InputOf,
  type Stored,
  type StoredOptions,
  type StoringOptions,
  type TypeOptions,
} from './engine/dio/data-type.js'
export type { Orphans } from './engine/dio/removal.js'
export type { ChainTrust } from './engine/log/types.js'
export { DioMut, type DeleteOptions, type StoreOptions } from './engine/dio/dio-mut.js'
export { compactor, type CompactorOptions, type ObjectCompactor } from './engine/dio/compactor.js'
export { Dio } from './engine/dio/dio.js'
export type { Handler, ProcessOptions, Queue, QueueOptions, WorkOptions } from './engine/dio/queue.js'
export { type Answerer, type InvokeOptions, type Service, service } from './engine/dio/service.js'
export type { ChainLock, LockOptions, WaitOptions } from './engine/dio/locks.js'
export {
  childOf,
  type ChildLink,
  foreign,
  type ForeignLink,
  mapOf,
  type MapLink,
  vecOf,
  type VecLink,
  weakTo,
  type WeakLink,
} from './engine/dio/link-definition.js'
export type { Change, ChangeBase } from './engine/dio/hooks/change.js'
export {
  type Linter,
  type PluginOf,
  type Transformer,
  type Validator,
  type Vote,
  vote,
  type Votes,
} from './engine/dio/hooks/plugin.js'
export type { Plugin } from './engine/dio/plugin.js'
export type { Elsewhere, ProposedCommit, Who } from './engine/dio/hooks/proposed-commit.js'
export { type ObjectKey, objectKey } from './engine/dio/object-key.js'
export { plain, type SchemaIssue, type SchemaResult, type StandardSchema } from './engine/dio/standard-schema.js'
export { AteError, type AteErrorDetail, type ErrorCode, errorCode, isAteError } from './engine/error.js'
export type { CompactionMode } from './engine/chain/compaction/compaction-mode.js'
export type { CompactionReport } from './engine/chain/compaction/compaction-report.js'
export {
  AteConfig,
  type AteConfigOptions,
  type RecoveryMode,
  type RefusedBatch,
  type SetAside,
} from './library/config.js'
export {
  generateReadKey,
  generateWriteKey,
  readKeyFrom,
  signerOf,
  signMessage,
  writeKeyFromSeed,
} from './library/keys.js'
export type { KeyId, ReadKey, WriteKey } from './engine/trust/keys.js'
export { readBy, type ReadRule, writeBy, type WriteRule } from './engine/trust/rules.js'
export { AteSession, type SessionOptions } from './engine/trust/session.js'
