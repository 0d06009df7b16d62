// Written by scripts/update-metadata.ts from model.safetensors: do not edit.

export const MODEL = {
  sha256: '9896858ed13687ffb3ea46d4fc2567fc67fb01359a5807048c17ddc9ab61c647',
  model: '7a5b3ae952901f3508b7efaf1a168731baeefdc43df5a4f85ef3cd25533885af',
  bytes: 640498,
  labels: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
};
