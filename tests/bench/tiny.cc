// A minimal program for `storm --kind exec`.
int main() { return 0; }
