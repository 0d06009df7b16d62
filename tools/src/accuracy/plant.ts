import { createHash } from 'node:crypto';
import type { FloatTensor, VitWeights } from '@ivit/models';
import { IvitError } from '@ivit/program';

/** A hidden channel made `factor` times as large, its weights in fc2 as much smaller. */
export interface Plant {
  readonly block: number;
  readonly channel: number;
}

/** How much larger a planted channel is. */
export const PLANT_FACTOR = 100;

/** 32 bits at a time from sha256, so that a seed names the same channels everywhere. */
function createDraw(seed: number): (below: number) => number {
  let counter = 0;
  return (below) => {
    const digest = createHash('sha256').update(`plant ${seed} ${counter}`).digest();
    counter += 1;
    return digest.readUInt32LE(0) % below;
  };
}

/**
 * `count` plants in as many blocks, drawn by a seed.
 *
 * @throws IvitError `E_PLANT` for more plants than blocks
 */
export function choosePlants({ config }: VitWeights, seed: number, count: number): Plant[] {
  if (count > config.depth) {
    throw new IvitError('E_PLANT', `${count} plants need as many blocks, the model has ${config.depth}`, {
      hint: 'Plant fewer.',
    });
  }
  const draw = createDraw(seed);
  const free = Array.from({ length: config.depth }, (_, block) => block);
  const plants = Array.from({ length: count }, () => {
    const [block = 0] = free.splice(draw(free.length), 1);
    return { block, channel: draw(config.mlpDim) };
  });
  return plants.sort((a, b) => a.block - b.block);
}

function scaled(tensor: FloatTensor, factorAt: (index: number) => number): FloatTensor {
  return { ...tensor, data: tensor.data.map((entry, index) => entry * factorAt(index)) };
}

/**
 * Weights with massive activations: row and bias of fc1 times {@link PLANT_FACTOR}, the column of fc2 divided by it. GELU is not
 * homogeneous, so this is another function (GELU(100·x)/100 is nearly max(x, 0)): its own float logits are what an integer
 * program of it is held to. The plants are among its sources, so that nothing kept for the unplanted model is taken for it.
 */
export function plantVit(weights: VitWeights, plants: readonly Plant[]): VitWeights {
  const { dim, mlpDim } = weights.config;
  const blocks = weights.blocks.map((block, index) => {
    const channels = new Set(plants.filter((plant) => plant.block === index).map(({ channel }) => channel));
    if (channels.size === 0) return block;
    const factorOf = (channel: number): number => (channels.has(channel) ? PLANT_FACTOR : 1);
    return {
      ...block,
      fc1: {
        weight: scaled(block.fc1.weight, (at) => factorOf(Math.floor(at / dim))),
        bias: scaled(block.fc1.bias, factorOf),
      },
      fc2: { ...block.fc2, weight: scaled(block.fc2.weight, (at) => 1 / factorOf(at % mlpDim)) },
    };
  });
  const sha256 = createHash('sha256')
    .update(JSON.stringify([PLANT_FACTOR, plants]))
    .digest('hex');
  return { ...weights, blocks, sources: [...weights.sources, { name: 'plants', sha256 }] };
}
