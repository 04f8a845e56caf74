"""Emotion concepts in open-weight chat models: the science of the study, without the
DAG.
"""
