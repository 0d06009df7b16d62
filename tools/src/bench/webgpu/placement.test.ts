import { describe, expect, it } from 'vitest';
import { judgePlacement, placementOf } from './placement.js';

describe('placementOf', () => {
  it('reads a session that is on the GPU as a whole', () => {
    const log = [
      '2026-11-26 13:55:33.864339 [V:onnxruntime:, session_state.cc:1377 VerifyEachNodeIsAssignedToAnEp] Node placements',
      '2026-11-26 13:55:33.864738 [V:onnxruntime:, session_state.cc:1380 VerifyEachNodeIsAssignedToAnEp]  All nodes placed on [WebGpuExecutionProvider]. Number of nodes: 345',
    ];
    expect(judgePlacement(placementOf(log))).toEqual({
      text: '345 nodes on WebGpuExecutionProvider',
      onGpu: true,
    });
  });

  it('reads a session that is on both', () => {
    const log = [
      'VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 300',
      'VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on [CPUExecutionProvider]. Number of nodes: 49',
    ];
    const { text, onGpu } = judgePlacement(placementOf(log));
    expect(text).toBe('300 nodes on WebGpuExecutionProvider, 49 nodes on CPUExecutionProvider');
    expect(onGpu).toBe(false);
  });

  it('does not take silence for the GPU', () => {
    expect(judgePlacement(placementOf(['nothing of interest']))).toEqual({
      text: 'no placement in the log',
      onGpu: false,
    });
  });
});
