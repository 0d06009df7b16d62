"""Test vectors of every op of ivit/1, written from docs/spec/ivit-1.md; the generator is make_op_vectors.py beside this folder."""
