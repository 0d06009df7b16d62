// Written by scripts/update-metadata.ts from model.safetensors: do not edit.

export const MODEL = {
  sha256: '',
  model: '',
  bytes: 0,
  labels: [],
};
