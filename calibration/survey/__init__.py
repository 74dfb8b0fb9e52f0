"""The evaluation's survey, simulated: who is asked and answers, when, and what they say."""
