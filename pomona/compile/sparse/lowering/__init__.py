"""From a plan's steps to tasks: which kernel runs on which addresses, for one file of operations each."""
