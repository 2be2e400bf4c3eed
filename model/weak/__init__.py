"""Weak supervision: what a teacher's answers, similar texts and a few human labels say together about every row.

posterior     the teacher's distribution, corrected for labels that it prefers
neighbours    what similar texts say, each row left out of its own opinion
space         embeddings as regressions want them
transition    how this teacher errs, learnt from human labels
"""
