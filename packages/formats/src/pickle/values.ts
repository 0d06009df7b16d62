import type { SafetensorsDType } from '../safetensors/dtypes.js';

/**
 * What a pickle describes, as inert data: nothing here has behavior, a prototype that matters, or a link back to the code
 * that the pickle names.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleBytes
  | PickleItems<'list'>
  | PickleItems<'tuple'>
  | PickleItems<'set'>
  | PickleDict
  | PickleGlobal
  | PickleObject
  | StorageReference
  | TensorReference;

export interface PickleBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

export interface PickleItems<Kind extends 'list' | 'tuple' | 'set'> {
  readonly kind: Kind;
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  /** By a text of the key that tells 1 from "1". */
  readonly entries: Map<string, { readonly key: PickleValue; readonly value: PickleValue }>;
}

/** An allowed name: a class or function of Python that is known here, never run. */
export interface PickleGlobal {
  readonly kind: 'global';
  /** `module name`. */
  readonly name: string;
}

/** An object that nobody here looks into, such as an `argparse.Namespace`. */
export interface PickleObject {
  readonly kind: 'object';
  readonly of: string;
  readonly args: readonly PickleValue[];
  state: PickleValue | undefined;
}

/** One storage of a checkpoint: the file `data/KEY` of its archive. */
export interface StorageReference {
  readonly kind: 'storage';
  readonly key: string;
  readonly dtype: SafetensorsDType;
  /** Elements. */
  readonly length: number;
}

/** A strided view of a storage, every reachable element inside it. */
export interface TensorReference {
  readonly kind: 'tensor';
  readonly storage: StorageReference;
  /** Element of the storage at which the tensor starts. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The kinds of values that are objects here. */
export type PickleKind = Extract<PickleValue, { readonly kind: string }>['kind'];

/** Whether a value is of a kind. */
export function isKind<Kind extends PickleKind>(
  value: PickleValue | undefined,
  kind: Kind,
): value is Extract<PickleValue, { readonly kind: Kind }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}
