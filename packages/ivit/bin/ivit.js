#!/usr/bin/env node
// biome-ignore lint/style/noRestrictedImports: the command runs the built files of its own package
import '../dist/cli.js';
