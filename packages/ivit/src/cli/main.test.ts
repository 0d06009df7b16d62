import { describe, expect, it } from 'vitest';
import { runCli } from '../../test/run-cli.js';
import { main } from './main.js';

describe('ivit', () => {
  it('says how it is used: 2 without a command, 0 when asked', async () => {
    const bare = await runCli([]);
    expect(bare).toMatchObject({ status: 2, stdout: '' });
    expect(bare.stderr).toContain('ivit classify [MODEL] PHOTO…');
    const asked = await runCli(['--help']);
    expect(asked).toMatchObject({ status: 0, stderr: '', stdout: bare.stderr });
  });

  it.each([
    ['an unknown command', ['label', 'cat.jpg'], /no command "label"/],
    ['an unknown option', ['classify', '--wrong', 'cat.jpg'], /--wrong/],
    ['no photo', ['classify', 'builtin'], /at least one photo/],
    ['a number that is none', ['classify', '--top-k', 'many', 'cat.jpg'], /--top-k must be an integer/],
    ['no calibration folder', ['quantize', 'model', '-o', 'x'], /--calibrate/],
    ['an unknown recipe', ['quantize', 'm', '--calibrate', 'd', '-o', 'x', '--recipe', 'p'], /no recipe "p"/],
    ['one file for two', ['quantize', 'm', '--calibrate', 'd', '-o', 'x', '--report', './x'], /name one file/],
    ['a size that is none', ['quantize', 'm', '--calibrate', 'd', '-o', 'x', '--size-budget', '4 apples'], /4 apples/],
    [
      'an unknown backend',
      ['classify', '--backend', 'gpu', 'cat.jpg'],
      /no backend "gpu"; there are cpu, webgpu and reference/,
    ],
    ['no threads', ['classify', '--threads', '0', 'cat.jpg'], /--threads must be an integer from 1 to 64/],
    ['too many models', ['doctor', 'a', 'b'], /one model at most/],
    ['too many photos', ['bench', 'builtin', 'a.jpg', 'b.jpg'], /one photo at most/],
    ['no number of threads', ['bench', '--threads', '1,'], /--threads must be an integer/],
    ['a hub address that is none', ['inspect', 'hf:a/b', '--hf-endpoint', 'ftp://x'], /must begin with http/],
  ])('exits with 2 for %s', async (_, args, said) => {
    let stdout = '';
    let stderr = '';
    const status = await main(args, {
      out: (text) => {
        stdout += text;
      },
      err: (text) => {
        stderr += text;
      },
      terminal: false,
      env: {},
      signal: new AbortController().signal,
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^ivit: E_USAGE: /);
    expect(stderr).toMatch(said);
  });
});
