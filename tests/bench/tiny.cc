// The smallest program worth executing: what `storm --kind exec` runs.
int main() { return 0; }
