import type { ProbeResult } from '@ivit/backend';
import { check } from '../check.js';
import { CASE_OPS } from '../random/op-cases.js';
import type { Runner, Target } from '../runner.js';
import { declaredOps, fresh } from './context.js';

function checkProbe(result: ProbeResult): void {
  check(typeof result === 'object' && result !== null, `probe: expected an object, got ${String(result)}`);
  if (result.available) {
    check(result.available === true, `probe: available is ${String(result.available)}, not true or false`);
    check(typeof result.device === 'string' && result.device !== '', 'probe: device is no name');
    check(Number.isSafeInteger(result.threads) && result.threads >= 1, `probe: threads is ${result.threads}`);
    const { features } = result;
    const strings = Array.isArray(features) && features.every((feature) => typeof feature === 'string');
    check(strings, 'probe: features is no list of strings');
  } else {
    check(result.available === false, `probe: available is ${String(result.available)}, not true or false`);
    check(/^E_[A-Z0-9_]+$/.test(result.code), `probe: '${result.code}' is no code`);
    check(typeof result.reason === 'string' && result.reason !== '', 'probe: there is no reason');
  }
}

/** What the backend says of itself: tested first, because it decides what else is. */
export function manifestTests({ describe, it }: Runner, target: Target): void {
  describe('manifest', () => {
    it('is of contract version 1 and has a name and a version', async () => {
      const { backend } = await fresh(target);
      check(
        backend.specificationVersion === 1,
        `specificationVersion: expected 1, got ${backend.specificationVersion}`,
      );
      for (const key of ['name', 'version'] as const) {
        check(
          typeof backend[key] === 'string' && backend[key] !== '',
          `${key}: expected a string, got ${backend[key]}`,
        );
      }
      for (const method of ['probe', 'compile'] as const) {
        check(typeof backend[method] === 'function', `${method} is no function`);
      }
    });

    it('declares ops that this kit can prove', async () => {
      const { backend } = await fresh(target);
      const known: ReadonlySet<string> = new Set(CASE_OPS);
      for (const [op, versions] of Object.entries(backend.ops)) {
        check(known.has(op), `ops: there is no op '${op}' in ivit/1 or ivit/1.1`);
        check(Array.isArray(versions) && versions.length > 0, `ops.${op}: expected versions, got ${String(versions)}`);
        for (const version of versions) {
          const proved = version === 1 || known.has(`${op}@${version}`);
          check(proved, `ops.${op}: this kit has no vectors of version ${version}`);
        }
      }
      check(declaredOps(backend).size > 0, 'ops: nothing is declared');
    });

    it('declares the same on every instance, and every instance is a new one', async () => {
      const first = await target.create();
      const second = await target.create();
      check(first !== second, 'create gave the same backend twice');
      check(JSON.stringify(first.ops) === JSON.stringify(second.ops), 'two instances declare different ops');
    });

    it('probes without throwing, and something can run', async () => {
      const { backend } = await fresh(target);
      const result = await backend.probe();
      checkProbe(result);
      check(result.available, `probe: nothing can run here, so nothing is proved: ${JSON.stringify(result)}`);
    });

    it('probes without throwing when the signal was aborted', async () => {
      const { backend } = await fresh(target);
      checkProbe(await backend.probe({ signal: AbortSignal.abort() }));
    });
  });
}
