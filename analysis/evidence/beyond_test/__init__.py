"""Numbers beyond the accuracy on the test set, of trials and of results of stored weights."""
