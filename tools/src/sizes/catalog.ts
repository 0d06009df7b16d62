import type { SwinModelConfig, VitConfig } from '@ivit/models';

/** A published geometry whose program is built and run. */
export type SizeEntry = SizeDetails & ({ readonly vit: VitConfig } | { readonly swin: SwinModelConfig });

interface SizeDetails {
  /** timm's name, or close to it. */
  readonly name: string;
  /** Other models of exactly this program. */
  readonly also?: readonly string[];
  /** Seeded float weights through the quantizer, or seeded integers straight into the program builder. */
  readonly made: 'quantized' | 'integers';
}

const WIDTHS = { tiny: [192, 3, 12], small: [384, 6, 12], base: [768, 12, 12], large: [1024, 16, 24] } as const;

function vit(
  size: keyof typeof WIDTHS,
  patchSize: number,
  imageSize: number,
  change: Partial<VitConfig> = {},
): VitConfig {
  const [dim, heads, depth] = WIDTHS[size];
  return { imageSize, patchSize, dim, depth, heads, mlpDim: 4 * dim, layerNormEps: 1e-6, classes: 1000, ...change };
}

function swin(
  dim: number,
  depths: readonly number[],
  heads: readonly number[],
  imageSize: number,
  windowSize: number,
): SwinModelConfig {
  return { imageSize, patchSize: 4, dim, depths, heads, windowSize, layerNormEps: 1e-5, classes: 1000 };
}

const DISTILLED = { prefixTokens: 2, readout: 'distilled' } as const;

/** Sizes of the I-ViT paper and their kin. LayerScale and absent qkv biases end in the weights: no program of their own. */
export const SIZES: readonly SizeEntry[] = [
  { name: 'deit_tiny_patch16_224', also: ['vit_tiny_patch16_224'], vit: vit('tiny', 16, 224), made: 'quantized' },
  { name: 'deit_tiny_distilled_patch16_224', vit: vit('tiny', 16, 224, DISTILLED), made: 'quantized' },
  {
    name: 'vit_tiny_patch16_224, mean (fc_norm), no class token',
    vit: vit('tiny', 16, 224, { prefixTokens: 0, readout: 'mean-norm' }),
    made: 'quantized',
  },
  {
    name: 'vit_tiny_patch16_224, norm then mean, no class token',
    vit: vit('tiny', 16, 224, { prefixTokens: 0, readout: 'norm-mean' }),
    made: 'quantized',
  },
  { name: 'vit_tiny_patch32_384', vit: vit('tiny', 32, 384), made: 'quantized' },
  {
    name: 'deit_small_patch16_224',
    also: ['vit_small_patch16_224', 'deit3_small_patch16_224'],
    vit: vit('small', 16, 224),
    made: 'integers',
  },
  { name: 'deit_small_distilled_patch16_224', vit: vit('small', 16, 224, DISTILLED), made: 'integers' },
  { name: 'vit_small_patch14_224', vit: vit('small', 14, 224), made: 'integers' },
  { name: 'vit_small_patch32_224', vit: vit('small', 32, 224), made: 'integers' },
  { name: 'vit_small_patch16_384', also: ['deit3_small_patch16_384'], vit: vit('small', 16, 384), made: 'integers' },
  {
    name: 'deit_base_patch16_224',
    also: ['vit_base_patch16_224', 'deit3_base_patch16_224'],
    vit: vit('base', 16, 224),
    made: 'integers',
  },
  { name: 'deit_base_distilled_patch16_224', vit: vit('base', 16, 224, DISTILLED), made: 'integers' },
  {
    name: 'vit_base_patch16_224, mean (fc_norm) beside a class token',
    vit: vit('base', 16, 224, { readout: 'mean-norm' }),
    made: 'integers',
  },
  { name: 'vit_base_patch32_224', vit: vit('base', 32, 224), made: 'integers' },
  { name: 'deit_base_patch16_384', also: ['vit_base_patch16_384'], vit: vit('base', 16, 384), made: 'integers' },
  { name: 'deit_base_distilled_patch16_384', vit: vit('base', 16, 384, DISTILLED), made: 'integers' },
  { name: 'vit_large_patch16_224', also: ['deit3_large_patch16_224'], vit: vit('large', 16, 224), made: 'integers' },
  { name: 'vit_large_patch14_224', vit: vit('large', 14, 224), made: 'integers' },
  { name: 'vit_large_patch32_384', vit: vit('large', 32, 384), made: 'integers' },
  {
    name: 'swin_tiny_patch4_window7_224',
    swin: swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 224, 7),
    made: 'quantized',
  },
  {
    name: 'swin_tiny_patch4_window7_224, seeded integers',
    swin: swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 224, 7),
    made: 'integers',
  },
  { name: 'swin_small_patch4_window7_224', swin: swin(96, [2, 2, 18, 2], [3, 6, 12, 24], 224, 7), made: 'integers' },
  { name: 'swin_base_patch4_window7_224', swin: swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 224, 7), made: 'integers' },
  { name: 'swin_base_patch4_window12_384', swin: swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 384, 12), made: 'integers' },
];
