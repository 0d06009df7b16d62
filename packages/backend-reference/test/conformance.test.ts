import { createReferenceBackend } from '@ivit/backend-reference';
import { runBackendConformance } from '@ivit/backend-testkit';
import { describe, it } from 'vitest';

runBackendConformance({ describe, it }, { create: createReferenceBackend });
