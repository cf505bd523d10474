package main

// Main is the program, for the processes that tests start.
var Main = main
