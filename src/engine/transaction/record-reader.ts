/** The reading half of a record view. */
import type { RecordView } from '../chain/record-view.js'

export type RecordReader = Pick<RecordView, 'get' | 'range' | 'floor'>
