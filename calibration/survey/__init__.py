"""The evaluation's survey, simulated: who is asked, who answers, and what."""
