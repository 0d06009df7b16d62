import { describe, it } from 'node:test';
import { runBackendConformance } from '@ivit/backend-testkit';
import { createMyBackend } from './my-backend.js';

runBackendConformance({ describe, it }, { create: () => createMyBackend() });
