package main

import (
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	spawnBatch     = 1000
	spawnTotal     = 2000000
	yieldTasks     = 1000
	yieldTotal     = 5000000
	pingPongTotal  = 500000
	queueTotal     = 2000000
	pairTotal      = 10000000
	pipelineTotal  = 1000000
	semaphoreTotal = 2000000
	parkedTotal    = 1000000
	wakeTotal      = 2000
)

var boards = []board{
	{"spawn_join", spawnJoin, true},
	{"spawn_await", spawnAwait, true},
	{"yield", yield, true},
	{"ping_pong", pingPong, true},
	{"switch", handOver, true},
	{"queue.1024.1p1c", queue(1024, 1, 1), true},
	{"queue.1024.4p1c", queue(1024, 4, 1), true},
	{"queue.1024.4p4c", queue(1024, 4, 4), true},
	{"queue.1024.64p64c", queue(1024, 64, 64), true},
	{"queue.16.1p1c", queue(16, 1, 1), true},
	{"queue.16.4p1c", queue(16, 4, 1), true},
	{"queue.16.4p4c", queue(16, 4, 4), true},
	{"queue.16.64p64c", queue(16, 64, 64), true},
	{"queue.1.1p1c", queue(1, 1, 1), true},
	{"queue.1.4p1c", queue(1, 4, 1), true},
	{"queue.1.4p4c", queue(1, 4, 4), true},
	{"queue.1.64p64c", queue(1, 64, 64), true},
	{"queue.pair.try", pairTry, true},
	{"queue.pair.await", pairWait, true},
	{"pipeline", pipeline, true},
	{"semaphore.try", semaphoreTry, true},
	{"semaphore.await", semaphore(1, 1, false), true},
	{"semaphore.8t1p", semaphore(8, 1, false), true},
	{"semaphore.64t4p", semaphore(64, 4, true), true},
	{"fork_join.fib", fibBoard, true},
	{"fork_join.skynet", skynetBoard, true},
	{"parked.memory", parkedMemory, false},
	{"parked.wake", parkedWake, false},
	{"timers.100k", timers(100000), false},
	{"timers.1M", timers(1000000), false},
	{"wake.timer", wakeTimer, false},
	{"wake.thread", wakeThread, false},
	{"idle", idle, false},
}

func sumTo(n int) int { return n * (n + 1) / 2 }

func spawnJoin(e effort) reading {
	total := scaled(e, spawnTotal, spawnBatch)
	slots := make([]int, spawnBatch)
	sum := 0
	watch := start()
	for done := 0; done < total; done += spawnBatch {
		var group sync.WaitGroup
		group.Add(spawnBatch)
		for i := range slots {
			go func(slot *int, value int) {
				*slot = value
				group.Done()
			}(&slots[i], i+1)
		}
		group.Wait()
		for i := range slots {
			sum += slots[i]
			slots[i] = 0
		}
	}
	r := watch.nsPerItem(total)
	checkEqual("the sum over all tasks", sum, total/spawnBatch*sumTo(spawnBatch))
	return r
}

func spawnAwait(e effort) reading {
	total := scaled(e, spawnTotal/2, 1)
	sum := 0
	watch := start()
	for i := 1; i <= total; i++ {
		result := make(chan int, 1)
		go func(value int) { result <- value }(i)
		sum += <-result
	}
	r := watch.nsPerItem(total)
	checkEqual("the sum over all tasks", sum, sumTo(total))
	return r
}

func yield(e effort) reading {
	total := scaled(e, yieldTotal, yieldTasks)
	var group sync.WaitGroup
	var finished int64
	watch := start()
	group.Add(yieldTasks)
	for i := 0; i < yieldTasks; i++ {
		go func() {
			for left := total / yieldTasks; left > 0; left-- {
				runtime.Gosched()
			}
			atomic.AddInt64(&finished, 1)
			group.Done()
		}()
	}
	group.Wait()
	r := watch.nsPerItem(total)
	checkEqual("the number of finished tasks", int(finished), yieldTasks)
	return r
}

func pingPong(e effort) reading {
	total := scaled(e, pingPongTotal, 1)
	there, back := make(chan int, 1), make(chan int, 1)
	sum := 0
	watch := start()
	go func() {
		for i := 0; i < total; i++ {
			back <- <-there + 1
		}
	}()
	for i := 0; i < total; i++ {
		there <- i
		sum += <-back
	}
	r := watch.nsPerItem(total)
	checkEqual("the sum of the answers", sum, sumTo(total))
	return r
}

func handOver(e effort) reading {
	before := runtime.GOMAXPROCS(1)
	r := pingPong(e)
	runtime.GOMAXPROCS(before)
	r.items, r.value = 2*r.items, r.value/2
	return r
}

func queue(capacity, producers, consumers int) func(effort) reading {
	return func(e effort) reading {
		total := scaled(e, queueTotal, 64)
		perProducer, perConsumer := total/producers, total/consumers
		items := make(chan int, capacity)
		var sum int64
		var group sync.WaitGroup
		watch := start()
		group.Add(producers + consumers)
		for p := 0; p < producers; p++ {
			go func(first int) {
				for i := 1; i <= perProducer; i++ {
					items <- first + i
				}
				group.Done()
			}(p * perProducer)
		}
		for c := 0; c < consumers; c++ {
			go func() {
				mine := 0
				for i := 0; i < perConsumer; i++ {
					mine += <-items
				}
				atomic.AddInt64(&sum, int64(mine))
				group.Done()
			}()
		}
		group.Wait()
		r := watch.millionsPerS(total)
		checkEqual("the sum of the items", int(sum), sumTo(total))
		return r
	}
}

func pairTry(e effort) reading {
	total := scaled(e, pairTotal, 1)
	items := make(chan int, 1024)
	sum := 0
	watch := start()
	for i := 1; i <= total; i++ {
		select {
		case items <- i:
		default:
		}
		select {
		case item := <-items:
			sum += item
		default:
		}
	}
	r := watch.nsPerItem(total)
	checkEqual("the sum of the items", sum, sumTo(total))
	return r
}

func pairWait(e effort) reading {
	total := scaled(e, pairTotal, 1)
	items := make(chan int, 1024)
	sum := 0
	watch := start()
	for i := 1; i <= total; i++ {
		items <- i
		sum += <-items
	}
	r := watch.nsPerItem(total)
	checkEqual("the sum of the items", sum, sumTo(total))
	return r
}

// pipeline: a queue of 10, one producer, three consumers; each item is reported done, and the producer waits for all.
func pipeline(e effort) reading {
	total := scaled(e, pipelineTotal, 1)
	jobs := make(chan int, 10)
	var sum int64
	var unfinished, consumers sync.WaitGroup
	watch := start()
	consumers.Add(3)
	for c := 0; c < 3; c++ {
		go func() {
			mine := 0
			for item := range jobs {
				mine += item
				unfinished.Done()
			}
			atomic.AddInt64(&sum, int64(mine))
			consumers.Done()
		}()
	}
	for i := 1; i <= total; i++ {
		unfinished.Add(1)
		jobs <- i
	}
	unfinished.Wait()
	close(jobs)
	consumers.Wait()
	r := watch.millionsPerS(total)
	checkEqual("the sum of the items", int(sum), sumTo(total))
	return r
}

// semaphore: a channel of permits, Go's own idiom.
func semaphore(tasks, permits int, hold bool) func(effort) reading {
	return func(e effort) reading {
		total := scaled(e, semaphoreTotal, tasks)
		free := make(chan struct{}, permits)
		var group sync.WaitGroup
		var inside, most, acquired int64
		watch := start()
		group.Add(tasks)
		for t := 0; t < tasks; t++ {
			go func() {
				for i := 0; i < total/tasks; i++ {
					free <- struct{}{}
					if hold {
						if now := atomic.AddInt64(&inside, 1); now > atomic.LoadInt64(&most) {
							atomic.StoreInt64(&most, now)
						}
						runtime.Gosched()
						atomic.AddInt64(&inside, -1)
					}
					<-free
				}
				atomic.AddInt64(&acquired, int64(total/tasks))
				group.Done()
			}()
		}
		group.Wait()
		r := watch.nsPerItem(total)
		checkEqual("the number of acquisitions", int(acquired), total)
		if most > int64(permits) {
			checkEqual("the most holders at once", int(most), permits)
		}
		return r
	}
}

func semaphoreTry(e effort) reading {
	total := scaled(e, semaphoreTotal, 1)
	free := make(chan struct{}, 1)
	acquired := 0
	watch := start()
	for i := 0; i < total; i++ {
		select {
		case free <- struct{}{}:
			acquired++
			<-free
		default:
		}
	}
	r := watch.nsPerItem(total)
	checkEqual("the number of acquisitions", acquired, total)
	return r
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	result := make(chan int, 1)
	go func() { result <- fib(n - 1) }()
	b := fib(n - 2)
	return <-result + b
}

// fibBoard: smaller than the C++ ones, because a goroutine for each call is not what Go is for.
func fibBoard(e effort) reading {
	n, value, calls := 27, 196418, 832039
	if e == warmUp {
		n, value, calls = 18, 2584, 8361
	}
	watch := start()
	got := fib(n)
	r := watch.nsPerItem(calls)
	checkEqual("fib(n)", got, value)
	return r
}

func skynet(first, width int) int {
	if width == 1 {
		return first
	}
	sums := make(chan int, 10)
	for i := 0; i < 10; i++ {
		go func(first int) { sums <- skynet(first, width/10) }(first + i*width/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-sums
	}
	return sum
}

func skynetBoard(e effort) reading {
	width := map[effort]int{full: 1000000, quick: 100000, warmUp: 1000}[e]
	watch := start()
	got := skynet(0, width)
	r := watch.nsPerItem((width*10 - 1) / 9)
	checkEqual("the sum of the leaves", got, sumTo(width-1))
	return r
}

// park starts goroutines that wait for the gate to be closed, and returns when all of them wait.
func park(total int, gate chan struct{}, finished *sync.WaitGroup) {
	var started sync.WaitGroup
	for done := 0; done < total; done += 1000 {
		started.Add(1000)
		finished.Add(1000)
		for i := 0; i < 1000; i++ {
			go func() {
				started.Done()
				<-gate
				finished.Done()
			}()
		}
		started.Wait()
	}
	time.Sleep(10 * time.Millisecond)
}

func parkedMemory(e effort) reading {
	total := scaled(e, parkedTotal, 1000)
	gate := make(chan struct{})
	var finished sync.WaitGroup
	watch := start()
	before := statusField("/proc/self/status", "VmRSS:")
	park(total, gate, &finished)
	after := statusField("/proc/self/status", "VmRSS:")
	r := watch.nsPerItem(total)
	close(gate)
	finished.Wait()
	r.value, r.unit = float64(after-before)*1024/float64(total), "bytes"
	return r
}

func parkedWake(e effort) reading {
	total := scaled(e, parkedTotal, 1000)
	gate := make(chan struct{})
	var finished sync.WaitGroup
	park(total, gate, &finished)
	watch := start()
	close(gate)
	finished.Wait()
	return watch.nsPerItem(total)
}

// timers: tasks that each sleep a random 1 to 1000 ms; the CPU time of all, and how late they woke.
func timers(count int) func(effort) reading {
	return func(e effort) reading {
		total := count // whatever the effort: the figure is for all of them
		delays, late := make([]time.Duration, total), make([]float64, total)
		random := rand.New(rand.NewSource(7))
		for i := range delays {
			delays[i] = time.Millisecond + time.Duration(random.Int63n(int64(999*time.Millisecond)))
		}
		var group sync.WaitGroup
		group.Add(total)
		watch := start()
		for i := 0; i < total; i++ {
			go func(i int) {
				due := time.Now().Add(delays[i])
				time.Sleep(delays[i])
				late[i] = float64(time.Since(due).Nanoseconds()) * 1e-6
				group.Done()
			}(i)
		}
		group.Wait()
		r := watch.nsPerItem(total)
		r.value, r.unit = r.cpu, "CPU s"
		if quantile(late, 0) < 0 {
			panic("Wrong answer: a task woke before its time.")
		}
		r.extra = map[string]float64{"p50_ms": quantile(late, 0.5), "p99_ms": quantile(late, 0.99)}
		return r
	}
}

func wakeReading(watch stopwatch, late []float64) reading {
	r := watch.nsPerItem(len(late))
	r.value, r.unit = quantile(late, 0.5), "us"
	r.extra = map[string]float64{"p50_us": quantile(late, 0.5), "p99_us": quantile(late, 0.99)}
	return r
}

func collect(items chan time.Time, total int) []float64 {
	late := make([]float64, total)
	for i := range late {
		sent := <-items
		late[i] = float64(time.Since(sent).Nanoseconds()) * 1e-3
	}
	return late
}

func wakeTimer(e effort) reading {
	total := scaled(e, wakeTotal, 1)
	items := make(chan time.Time, 16)
	watch := start()
	go func() {
		for i := 0; i < total; i++ {
			time.Sleep(time.Millisecond)
			items <- time.Now()
		}
	}()
	return wakeReading(watch, collect(items, total))
}

// wakeThread: the sender sleeps in the kernel on a thread of its own, outside Go's timers.
func wakeThread(e effort) reading {
	total := scaled(e, wakeTotal, 1)
	items := make(chan time.Time, 16)
	watch := start()
	go func() {
		runtime.LockOSThread()
		for i := 0; i < total; i++ {
			pause := syscall.Timespec{Nsec: 1000000}
			for syscall.Nanosleep(&pause, &pause) == syscall.EINTR {
			}
			items <- time.Now()
		}
	}()
	return wakeReading(watch, collect(items, total))
}

// idle: how often the threads of a runtime with nothing to do wake up.
func idle(e effort) reading {
	spawnJoin(warmUp)
	seconds := 10
	if e != full {
		seconds = 2
	}
	time.Sleep(time.Second)
	before := switchesOfOtherThreads()
	watch := start()
	time.Sleep(time.Duration(seconds) * time.Second)
	r := watch.nsPerItem(seconds)
	r.value, r.unit = float64(switchesOfOtherThreads()-before), "wakeups"
	return r
}
