/**
 * A pickle machine that executes nothing: a fixed set of opcodes over inert values. Names are looked up in the caller's
 * list and never imported; REDUCE and NEWOBJ ask the caller what the described value is. Steps, values, stack and memo
 * are bounded.
 */
import { quoteName } from '../json/cursor.js';
import { DAMAGED, type PickleLimits, type PickleRefuse, RESAVE, UNTRUSTED } from './bounds.js';
import { createPickleCursor, type PickleCursor } from './cursor.js';
import { setItems } from './dict.js';
import { type Opcode, opcodeName, opcodeOf } from './opcodes.js';
import { createPickleStack, type PickleStack } from './stack.js';
import { isKind, type PickleGlobal, type PickleValue } from './values.js';

/** What the caller knows of the names and persistent ids in a pickle. All of it may throw through `refuse`. */
export interface PickleHost {
  /** An allowed global, or undefined. */
  readonly global: (module: string, name: string) => PickleGlobal | undefined;
  /** The value of `callable(*args)`; `key` is the string below it on the stack: the name it will get in a dict. */
  readonly reduce: (callable: PickleGlobal, args: readonly PickleValue[], key: string | undefined) => PickleValue;
  /** The value behind a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

interface Machine {
  readonly cursor: PickleCursor;
  readonly stack: PickleStack;
  readonly memo: Map<number, PickleValue>;
  readonly host: PickleHost;
  readonly refuse: PickleRefuse;
  readonly limits: PickleLimits;
}

function lookUp(machine: Machine, module: string, name: string): PickleGlobal {
  const found = machine.host.global(module, name);
  if (found !== undefined) return found;
  const message = `the pickle names ${quoteName(`${module}.${name}`)}, which is not allowed`;
  return machine.refuse('E_PICKLE_GLOBAL', message, RESAVE);
}

function remember({ memo, stack, limits, refuse }: Machine, index: number): void {
  if (memo.size >= limits.entries) refuse('E_PICKLE_LIMIT', `more than ${limits.entries} memo entries`, UNTRUSTED);
  memo.set(index, stack.top());
}

function recall(machine: Machine, index: number): void {
  const refuse: PickleRefuse = machine.refuse;
  const value = machine.memo.get(index);
  if (value === undefined) refuse('E_PICKLE_MEMO', `the memo has no entry ${index}`, DAMAGED);
  machine.stack.push(value);
}

function reduce({ stack, host, ...machine }: Machine): void {
  const refuse: PickleRefuse = machine.refuse;
  const args = stack.pop();
  const callable = stack.pop();
  if (!isKind(args, 'tuple')) refuse('E_PICKLE_STACK', 'the arguments of a call are no tuple', DAMAGED);
  if (!isKind(callable, 'global')) refuse('E_PICKLE_STACK', 'what is called is no name', DAMAGED);
  const below = stack.peek();
  stack.push(host.reduce(callable, args.items, typeof below === 'string' ? below : undefined));
}

function build({ stack, refuse }: Machine): void {
  const state = stack.pop();
  const target = stack.top();
  if (isKind(target, 'object')) target.state = state;
  // The attributes of an OrderedDict (a state dict's _metadata) are not needed.
  else if (!isKind(target, 'dict')) refuse('E_PICKLE_STACK', 'BUILD on something that has no state', DAMAGED);
}

function append({ stack, ...machine }: Machine, kind: 'list' | 'set', items: readonly PickleValue[]): void {
  const refuse: PickleRefuse = machine.refuse;
  const target = stack.top();
  if (!isKind(target, kind)) refuse('E_PICKLE_STACK', `items for something that is no ${kind}`, DAMAGED);
  for (const item of items) target.items.push(item);
}

function set({ stack, ...machine }: Machine, items: readonly PickleValue[]): void {
  const refuse: PickleRefuse = machine.refuse;
  const target = stack.top();
  if (!isKind(target, 'dict')) refuse('E_PICKLE_STACK', 'entries for something that is no dict', DAMAGED);
  setItems(target, items, refuse);
}

function stackGlobal(machine: Machine): void {
  const refuse: PickleRefuse = machine.refuse;
  const name = machine.stack.pop();
  const module = machine.stack.pop();
  if (typeof name !== 'string' || typeof module !== 'string') refuse('E_PICKLE_STACK', 'a name is no string', DAMAGED);
  machine.stack.push(lookUp(machine, module, name));
}

/** One opcode; true at STOP. */
function step(machine: Machine, opcode: Opcode): boolean {
  const { cursor, stack, host, refuse } = machine;
  switch (opcode) {
    case 'STOP':
      return true;
    case 'PROTO':
      return refuse('E_PICKLE_OPCODE', 'a second PROTO', DAMAGED);
    case 'FRAME':
      // Frames only help readers of streams; the length is not needed.
      cursor.uint32();
      cursor.uint32();
      return false;
    case 'MARK':
      stack.mark();
      return false;
    case 'POP':
      stack.drop();
      return false;
    case 'POP_MARK':
      stack.popToMark();
      return false;
    case 'NONE':
      stack.push(null);
      return false;
    case 'NEWTRUE':
    case 'NEWFALSE':
      stack.push(opcode === 'NEWTRUE');
      return false;
    case 'BININT':
      stack.push(cursor.int32());
      return false;
    case 'BININT1':
      stack.push(cursor.byte());
      return false;
    case 'BININT2':
      stack.push(cursor.uint16());
      return false;
    case 'LONG1':
      stack.push(cursor.integer(cursor.byte()));
      return false;
    case 'BINFLOAT':
      stack.push(cursor.float64());
      return false;
    case 'BINUNICODE':
    case 'BINSTRING':
      stack.push(cursor.text(cursor.uint32()));
      return false;
    case 'SHORT_BINUNICODE':
    case 'SHORT_BINSTRING':
      stack.push(cursor.text(cursor.byte()));
      return false;
    case 'BINBYTES':
    case 'SHORT_BINBYTES': {
      const length = opcode === 'BINBYTES' ? cursor.uint32() : cursor.byte();
      stack.pushObject({ kind: 'bytes', bytes: cursor.bytes(length) });
      return false;
    }
    case 'EMPTY_LIST':
      stack.pushObject({ kind: 'list', items: [] });
      return false;
    case 'EMPTY_SET':
      stack.pushObject({ kind: 'set', items: [] });
      return false;
    case 'EMPTY_DICT':
      stack.pushObject({ kind: 'dict', entries: new Map() });
      return false;
    case 'EMPTY_TUPLE':
      stack.pushObject({ kind: 'tuple', items: [] });
      return false;
    case 'TUPLE':
      stack.pushObject({ kind: 'tuple', items: stack.popToMark() });
      return false;
    case 'TUPLE1':
    case 'TUPLE2':
    case 'TUPLE3': {
      const items: PickleValue[] = [];
      for (let count = Number(opcode.slice(-1)); count > 0; count -= 1) items.unshift(stack.pop());
      stack.pushObject({ kind: 'tuple', items });
      return false;
    }
    case 'APPEND':
      append(machine, 'list', [stack.pop()]);
      return false;
    case 'APPENDS':
      append(machine, 'list', stack.popToMark());
      return false;
    case 'ADDITEMS':
      append(machine, 'set', stack.popToMark());
      return false;
    case 'SETITEM': {
      const value = stack.pop();
      const key = stack.pop();
      set(machine, [key, value]);
      return false;
    }
    case 'SETITEMS':
      set(machine, stack.popToMark());
      return false;
    case 'BINPUT':
      remember(machine, cursor.byte());
      return false;
    case 'LONG_BINPUT':
      remember(machine, cursor.uint32());
      return false;
    case 'MEMOIZE':
      remember(machine, machine.memo.size);
      return false;
    case 'BINGET':
      recall(machine, cursor.byte());
      return false;
    case 'LONG_BINGET':
      recall(machine, cursor.uint32());
      return false;
    case 'GLOBAL': {
      const module = cursor.line();
      stack.push(lookUp(machine, module, cursor.line()));
      return false;
    }
    case 'STACK_GLOBAL':
      stackGlobal(machine);
      return false;
    case 'BINPERSID':
      stack.push(host.persistent(stack.pop()));
      return false;
    case 'REDUCE':
    case 'NEWOBJ':
      reduce(machine);
      return false;
    case 'BUILD':
      build(machine);
      return false;
    default:
      return opcode satisfies never;
  }
}

/**
 * Runs a pickle over inert values and returns what it leaves.
 *
 * @param bytes No more than `limits.bytes`: the caller looks before it unpacks them.
 * @param fail Throws a coded error; the machine adds the opcode and its byte in the pickle.
 * @param createHost Made with the machine's `refuse`, so that its errors name the opcode too.
 */
export function runPickle(
  bytes: Uint8Array,
  limits: PickleLimits,
  fail: (code: string, message: string, at: number, opcode: string, hint: string) => never,
  createHost: (refuse: PickleRefuse, count: () => void) => PickleHost,
): PickleValue {
  let at = 0;
  let name = 'the start';
  const refuse: PickleRefuse = (code, message, hint) => fail(code, message, at, name, hint);
  const cursor = createPickleCursor(bytes, refuse);
  const stack = createPickleStack(limits, refuse);
  const machine: Machine = { cursor, stack, memo: new Map(), host: createHost(refuse, stack.count), refuse, limits };
  if (cursor.byte() !== 0x80) refuse('E_PICKLE_OPCODE', 'the pickle does not begin with PROTO', DAMAGED);
  const protocol = cursor.byte();
  if (protocol < 2 || protocol > 5) refuse('E_PICKLE_OPCODE', `protocol ${protocol} is not read, 2 to 5 are`, RESAVE);
  for (;;) {
    at = cursor.position;
    const byte = cursor.byte();
    name = opcodeName(byte);
    const opcode = opcodeOf(byte);
    if (opcode === undefined)
      return refuse('E_PICKLE_OPCODE', `the opcode ${name} is not allowed`, `${DAMAGED} ${RESAVE}`);
    if (step(machine, opcode)) break;
  }
  const value = stack.pop();
  if (!stack.isEmpty()) refuse('E_PICKLE_STACK', 'values are left over at the end', DAMAGED);
  if (cursor.position !== bytes.length) {
    refuse('E_PICKLE_TRAILING', `${bytes.length - cursor.position} bytes follow the end of the pickle`, DAMAGED);
  }
  return value;
}
