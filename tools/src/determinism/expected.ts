/**
 * sha256 of what convert time makes of the seeded model. The same on every machine, engine and Node version.
 * They change only when a recipe changes, which gives it a new id once it is released.
 */
export const EXPECTED: Readonly<Record<string, string>> = {
  'float logits': '2b7120c16303a2ccadb56c70a790d433f352427c28624c25e2ce45b7a822ac1a',
  'ptq@1 file': 'a52a85120f97e12183c14f11d7eecd165cae663fba8c46b27e45a7e8f4732d09',
  'ptq@1 logits': '367a48fdf81773a595d334521920ed3a20497a96f05ab41d402b4aec3ebd90d7',
  'accurate@1 file': '301aa012ec9509cd11d30d4e769666ba754541016455bb60a2a0457013ba21a8',
  'accurate@1 logits': '8d415c308267bb458e3efe3dc85163eea215248c02e3c19a08daeba71d370a3b',
  'accurate@2 file': 'a2f1e45f6ca264d80530848f34ed90a4b25f1a0403b6b62065ba02575898d4e0',
  'accurate@2 logits': '0254b4ba41aa11e592a5a01749620df618fa13d7d1edd672fa1c8b476b2601a5',
  'paper@1 file': 'cff7ee3d0ed55de48ac09dc57ab4dcfaf260f5432cdf4e931d7e3ce3c057b775',
  'paper@1 logits': 'f785f76e8ebac658dc24b3521b27ef5cf95430e3d2cf65f733f6c5f2cbc86099',
};
